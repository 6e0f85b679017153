/** Requests of the peer, until they are answered: each becomes a tunnel, or is refused. */
import type { Logger } from '../../base/logger.js';
import type { TunnelEnd } from '../stream/datagram-end.js';
import type { FrameScheduler } from '../stream/frame-scheduler.js';
import type { TunnelIdentity } from '../stream/tunnel.js';
import { WaitingBytes } from '../stream/waiting-bytes.js';
import { encodeFrame, type Frame, TCP_FIN } from '../wire/frame.js';
import type { Reason } from '../wire/reasons.js';
import { decodeEarly, decodeForwardId, decodeRequest, encodeAck, encodeDeny, MAX_EARLY } from '../wire/request.js';
import type { Target } from '../wire/target.js';
import type { PeerTerms } from './negotiation.js';
import type { TunnelTable } from './tunnel-table.js';

/** A request of the peer. */
export interface IncomingRequest {
  readonly peerId: string;
  readonly target: Target;
  /**
   * Called once, now or later, with the local end, or why there is none. When the link is closed by then, the local end is reset.
   * @param named see TunnelIdentity
   */
  answer(answer: TunnelEnd | Reason, named?: Pick<TunnelIdentity, 'destination' | 'number'>): void;
}

/** A request without an answer. */
interface Unanswered {
  readonly forwardId: number;
  readonly early: WaitingBytes;
  /** It has too much early data, and was refused; its target may still be being connected to. */
  isRefused: boolean;
}

interface IncomingRequestsDeps {
  readonly peerId: string;
  readonly log: Logger;
  readonly scheduler: FrameScheduler;
  readonly tunnels: TunnelTable;
  readonly terms: () => PeerTerms;
  readonly onRequest: (request: IncomingRequest) => void;
}

export class IncomingRequests {
  readonly #deps: IncomingRequestsDeps;
  /** Requests that were not answered by their handlers. */
  #unanswered = 0;
  /** Those that were not refused either, by forward id. */
  readonly #byForwardId = new Map<number, Unanswered>();
  #isClosed = false;

  constructor(deps: IncomingRequestsDeps) {
    this.#deps = deps;
  }

  /** Those that were not answered. */
  get size(): number {
    return this.#unanswered;
  }

  /** @param isFull whether the link may have no other tunnel */
  take(frame: Frame, isFull: boolean): void {
    const request = decodeRequest(frame);
    // Early data that follows is of this request, whatever becomes of it.
    if (request !== undefined) this.#forget(request.forwardId);
    if (request === undefined || !this.#deps.scheduler.hasRoom) this.#deps.log.debug('dropped a request');
    else if (request.target === undefined) this.#refuse(request.forwardId, 'bad-request');
    else if (isFull) this.#refuse(request.forwardId, 'too-many-tunnels');
    else this.#passOn(request.forwardId, request.target);
  }

  /**
   * Early data of a request that has no answer waits for it. That of one that was accepted was sent before its sender had the answer.
   * That of others is dropped.
   */
  onEarly(frame: Frame): void {
    const forwardId = decodeForwardId(frame);
    if (forwardId === undefined) return;
    const bytes = decodeEarly(frame);
    const request = this.#byForwardId.get(forwardId);
    if (request === undefined) this.#deps.tunnels.requested(forwardId)?.onData(bytes);
    else if (request.early.size + bytes.length <= MAX_EARLY) request.early.push(bytes);
    else {
      this.#forget(forwardId);
      request.isRefused = true;
      request.early.clear();
      this.#refuse(forwardId, 'overflow');
    }
  }

  /** What is answered from now on is reset. */
  close(): void {
    this.#isClosed = true;
    for (const { early } of this.#byForwardId.values()) early.clear();
    this.#byForwardId.clear();
  }

  #passOn(forwardId: number, target: Target): void {
    this.#unanswered += 1;
    const request = { forwardId, early: new WaitingBytes(), isRefused: false };
    this.#byForwardId.set(forwardId, request);
    this.#deps.onRequest({
      peerId: this.#deps.peerId,
      target,
      answer: (local, named) => {
        this.#unanswered -= 1;
        if (typeof local !== 'string') this.#accept(request, { target, ...named }, local);
        else if (!request.isRefused) this.#refuse(forwardId, local);
        this.#end(request);
      },
    });
  }

  #accept(request: Unanswered, named: Omit<TunnelIdentity, 'id' | 'side' | 'forwardId'>, local: TunnelEnd): void {
    if (this.#isClosed || request.isRefused) {
      local.reset(request.isRefused ? 'overflow' : 'connection-lost');
      return;
    }
    const { forwardId, early } = request;
    const { scheduler, terms, tunnels } = this.#deps;
    const id = tunnels.ids.take();
    if (!scheduler.offer(encodeAck(id, forwardId))) {
      tunnels.ids.release(id);
      local.reset('overflow');
      return;
    }
    const isCurrent = this.#byForwardId.get(forwardId) === request;
    const identity = { id, side: 'acceptor', forwardId: isCurrent ? forwardId : undefined, ...named } as const;
    const tunnel = tunnels.add(identity, local, { peer: terms() });
    for (const piece of early.take(MAX_EARLY)) tunnel.onData(piece);
    early.release();
  }

  /** Another request has its forward id, or it is over. */
  #forget(forwardId: number): void {
    this.#byForwardId.delete(forwardId);
    this.#deps.tunnels.forgetRequest(forwardId);
  }

  #end(request: Unanswered): void {
    if (this.#byForwardId.get(request.forwardId) === request) this.#byForwardId.delete(request.forwardId);
  }

  /** Upstream has no frame that refuses. A tunnel that ends at once frees what its client holds. */
  #refuse(forwardId: number, reason: Reason): void {
    const { scheduler, terms, tunnels } = this.#deps;
    if (terms().kind === 'extended') {
      scheduler.offer(encodeDeny(forwardId, reason));
      return;
    }
    const id = tunnels.ids.take();
    // The fin is pushed, not offered: without it the ack would open a tunnel that never ends.
    if (scheduler.offer(encodeAck(id, forwardId))) scheduler.push(encodeFrame(TCP_FIN, id));
    tunnels.ids.release(id);
  }
}
