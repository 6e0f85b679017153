/**
 * Requests of this side that wait for an answer, each under its own forward id, so that several can wait at once. What only an extended
 * peer understands is sent when it is known to be one: upstream would look up the name of a service, and stand still in the meantime.
 */
import type { Readable } from 'node:stream';
import type { Clock, Timer } from '../../base/clock.js';
import type { TunnelEnd } from '../stream/datagram-end.js';
import type { FrameScheduler } from '../stream/frame-scheduler.js';
import { EARLY_VERSION } from '../wire/hello.js';
import type { Reason } from '../wire/reasons.js';
import { encodeRequest } from '../wire/request.js';
import { needsExtension, type Target, unixPathOf } from '../wire/target.js';
import { EarlySender } from './early-sender.js';
import type { ForwardIds } from './forward-ids.js';
import type { PeerTerms } from './negotiation.js';

/**
 * ms. An extended peer answers within its own connect timeout. An upstream peer that refuses does not answer at all, and one whose
 * target is silent blocks for up to two minutes.
 */
const ANSWER_TIMEOUT = 30_000;

/** One of the two is called, once, unless the request is cancelled. */
export interface OpenHandlers {
  /** The source of the local end, paused, if its first bytes may be sent before the answer. */
  readonly source?: Readable | undefined;
  /** Returns the local end, whose source has what was not sent. */
  onAccepted(): TunnelEnd;
  onRefused(reason: Reason): void;
}

interface OutgoingRequest {
  readonly target: Target;
  readonly handlers: OpenHandlers;
  readonly timeout: Timer;
  early?: EarlySender;
}

interface OutgoingRequestsDeps {
  readonly clock: Clock;
  readonly ids: ForwardIds;
  readonly scheduler: FrameScheduler;
  /** Bytes of data that a frame may have now. */
  readonly frameData: () => number;
}

export class OutgoingRequests {
  readonly #deps: OutgoingRequestsDeps;
  readonly #requests = new Map<number, OutgoingRequest>();
  /** Forward ids of those that were not sent. */
  readonly #unsent = new Set<number>();
  /** Those with early data, of which none was sent. */
  readonly #silent = new Set<number>();

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
    // Of a stream of objects, no part of one can be read.
    if (handlers.source?.readableObjectMode === false) this.#silent.add(forwardId);
    return forwardId;
  }

  /**
   * Sends the requests that the peer understands, and refuses those that it does not. Begins to send the early data of those that were
   * sent. @param terms what is known of the peer
   */
  send(terms: PeerTerms): void {
    for (const forwardId of this.#unsent) {
      const { target } = this.#requests.get(forwardId) as OutgoingRequest;
      if (terms.kind === 'unknown' && needsExtension(target)) continue;
      this.#unsent.delete(forwardId);
      if (terms.kind === 'upstream' && needsExtension(target)) {
        this.take(forwardId)?.handlers.onRefused(unlessExtended(target));
      } else this.#deps.scheduler.push(encodeRequest(forwardId, target));
    }
    if (terms.kind !== 'unknown' && this.#silent.size > 0) this.#sendEarly(terms);
  }

  /** Removes and returns a request: an answer counts once. */
  take(forwardId: number): OutgoingRequest | undefined {
    const request = this.#requests.get(forwardId);
    if (request === undefined) return undefined;
    this.#requests.delete(forwardId);
    this.#unsent.delete(forwardId);
    this.#silent.delete(forwardId);
    this.#deps.ids.release(forwardId);
    request.timeout.cancel();
    request.early?.stop();
    return request;
  }

  /** A request whose early data was sent must not be repeated on another link: the target may have had it. */
  onLinkLost(): void {
    for (const forwardId of [...this.#requests.keys()]) {
      const request = this.take(forwardId);
      const hasSent = request?.early !== undefined && request.early.sent > 0;
      request?.handlers.onRefused(hasSent ? 'answer-lost' : 'connection-lost');
    }
  }

  #sendEarly(terms: PeerTerms): void {
    const { scheduler, frameData } = this.#deps;
    const takesEarly = terms.kind === 'extended' && terms.version >= EARLY_VERSION;
    for (const forwardId of takesEarly ? this.#silent : []) {
      const request = this.#requests.get(forwardId);
      const source = request?.handlers.source;
      if (request !== undefined && source !== undefined)
        request.early = new EarlySender({ scheduler, source, frameData }, forwardId);
    }
    this.#silent.clear();
  }
}

/** Why a peer as upstream has no such target. */
const unlessExtended = (target: Target): Reason =>
  target.protocol === 'udp' || unixPathOf(target) !== undefined ? 'no-extension' : 'no-services';
