/** The requests of this side that wait for an answer, each under a forward id of its own, so that they run side by side. */
import type { Clock, Timer } from '../../base/clock.js';
import type { Random } from '../../base/random.js';
import type { LocalEnd } from '../stream/local-end.js';
import type { Reason } from '../wire/reasons.js';
import type { Target } from '../wire/target.js';

/**
 * ms. An extended peer answers within its own connect timeout; an upstream peer that refuses says nothing at all, and one
 * whose target is silent stands still for up to two minutes.
 */
const ANSWER_TIMEOUT = 30_000;

/** Who wants a tunnel: one of the two is called, once. */
export interface OpenHandlers {
  /** Gives the local end, from which nobody has read. */
  onAccepted(): LocalEnd;
  onRefused(reason: Reason): void;
}

/** A tunnel that was asked for and is not there yet. */
export interface Opening {
  /** Nobody wants it any more: no handler is called. */
  cancel(): void;
}

export interface OpenRequest {
  readonly target: Target;
  readonly handlers: OpenHandlers;
  readonly timeout: Timer;
}

export class OpenRequests {
  readonly #clock: Clock;
  readonly #requests = new Map<number, OpenRequest>();
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

  /** Gives the request and forgets it: an answer counts once. */
  take(forwardId: number): OpenRequest | undefined {
    const request = this.#requests.get(forwardId);
    this.#requests.delete(forwardId);
    request?.timeout.cancel();
    return request;
  }

  refuseAll(reason: Reason): void {
    for (const forwardId of [...this.#requests.keys()]) this.take(forwardId)?.handlers.onRefused(reason);
  }
}
