/** Requests of this side that wait for an answer, each under its own forward id, so that several can wait at once. */
import type { Clock, Timer } from '../../base/clock.js';
import type { Random } from '../../base/random.js';
import type { LocalEnd } from '../stream/local-end.js';
import type { Reason } from '../wire/reasons.js';
import type { Target } from '../wire/target.js';

/**
 * ms. An extended peer answers within its own connect timeout. An upstream peer that refuses does not answer at all, and one whose
 * target is silent blocks for up to two minutes.
 */
const ANSWER_TIMEOUT = 30_000;

/** One of the two is called, once, unless the request is cancelled. */
export interface OpenHandlers {
  /** Returns the local end, which has not been read from. */
  onAccepted(): LocalEnd;
  onRefused(reason: Reason): void;
}

interface OutgoingRequest {
  readonly target: Target;
  readonly handlers: OpenHandlers;
  readonly timeout: Timer;
}

export class OutgoingRequests {
  readonly #clock: Clock;
  readonly #requests = new Map<number, OutgoingRequest>();
  #nextId: number;

  constructor(clock: Clock, random: Random) {
    this.#clock = clock;
    this.#nextId = random.bytes(4).readUInt32BE();
  }

  get size(): number {
    return this.#requests.size;
  }

  /** @returns the forward id */
  add(target: Target, handlers: OpenHandlers): number {
    while (this.#requests.has(this.#nextId)) this.#nextId = (this.#nextId + 1) >>> 0;
    const forwardId = this.#nextId;
    this.#nextId = (forwardId + 1) >>> 0;
    const timeout = this.#clock.after(ANSWER_TIMEOUT, () => this.take(forwardId)?.handlers.onRefused('no-answer'));
    this.#requests.set(forwardId, { target, handlers, timeout });
    return forwardId;
  }

  /** Removes and returns a request: an answer counts once. */
  take(forwardId: number): OutgoingRequest | undefined {
    const request = this.#requests.get(forwardId);
    this.#requests.delete(forwardId);
    request?.timeout.cancel();
    return request;
  }

  refuseAll(reason: Reason): void {
    for (const forwardId of [...this.#requests.keys()]) this.take(forwardId)?.handlers.onRefused(reason);
  }
}
