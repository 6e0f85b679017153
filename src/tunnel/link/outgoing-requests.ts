/**
 * Requests of this side that wait for an answer, each under its own forward id, so that several can wait at once. What only an extended
 * peer understands is sent when it is known to be one: upstream would look up the name of a service, and stand still in the meantime.
 */
import type { Clock, Timer } from '../../base/clock.js';
import type { TunnelEnd } from '../stream/datagram-end.js';
import type { Reason } from '../wire/reasons.js';
import { encodeRequest } from '../wire/request.js';
import { needsExtension, type Target, unixPathOf } from '../wire/target.js';
import type { ForwardIds } from './forward-ids.js';
import type { PeerTerms } from './negotiation.js';

/**
 * ms. An extended peer answers within its own connect timeout. An upstream peer that refuses does not answer at all, and one whose
 * target is silent blocks for up to two minutes.
 */
const ANSWER_TIMEOUT = 30_000;

/** One of the two is called, once, unless the request is cancelled. */
export interface OpenHandlers {
  /** Returns the local end, which has not been read from. */
  onAccepted(): TunnelEnd;
  onRefused(reason: Reason): void;
}

interface OutgoingRequest {
  readonly target: Target;
  readonly handlers: OpenHandlers;
  readonly timeout: Timer;
}

interface OutgoingRequestsDeps {
  readonly clock: Clock;
  readonly ids: ForwardIds;
  /** Sends a frame. */
  readonly push: (frame: Buffer) => void;
}

export class OutgoingRequests {
  readonly #deps: OutgoingRequestsDeps;
  readonly #requests = new Map<number, OutgoingRequest>();
  /** Forward ids of those that were not sent. */
  readonly #unsent = new Set<number>();

  constructor(deps: OutgoingRequestsDeps) {
    this.#deps = deps;
  }

  get size(): number {
    return this.#requests.size;
  }

  /** @returns the forward id */
  add(target: Target, handlers: OpenHandlers): number {
    const forwardId = this.#deps.ids.take();
    const timeout = this.#deps.clock.after(ANSWER_TIMEOUT, () => this.take(forwardId)?.handlers.onRefused('no-answer'));
    this.#requests.set(forwardId, { target, handlers, timeout });
    this.#unsent.add(forwardId);
    return forwardId;
  }

  /** Sends the requests that the peer understands, and refuses those that it does not. @param terms what is known of it */
  send(terms: PeerTerms['kind']): void {
    for (const forwardId of this.#unsent) {
      const { target } = this.#requests.get(forwardId) as OutgoingRequest;
      if (terms === 'unknown' && needsExtension(target)) continue;
      this.#unsent.delete(forwardId);
      if (terms === 'upstream' && needsExtension(target)) {
        this.take(forwardId)?.handlers.onRefused(unlessExtended(target));
      } else this.#deps.push(encodeRequest(forwardId, target));
    }
  }

  /** Removes and returns a request: an answer counts once. */
  take(forwardId: number): OutgoingRequest | undefined {
    const request = this.#requests.get(forwardId);
    if (request === undefined) return undefined;
    this.#requests.delete(forwardId);
    this.#unsent.delete(forwardId);
    this.#deps.ids.release(forwardId);
    request.timeout.cancel();
    return request;
  }

  refuseAll(reason: Reason): void {
    for (const forwardId of [...this.#requests.keys()]) this.take(forwardId)?.handlers.onRefused(reason);
  }
}

/** Why a peer as upstream has no such target. */
const unlessExtended = (target: Target): Reason =>
  target.protocol === 'udp' || unixPathOf(target) !== undefined ? 'no-extension' : 'no-services';
