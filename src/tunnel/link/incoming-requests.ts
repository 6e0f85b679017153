/** Requests of the peer, until they are answered: each becomes a tunnel, or is refused. */
import type { Logger } from '../../base/logger.js';
import type { TunnelEnd } from '../stream/datagram-end.js';
import type { FrameScheduler } from '../stream/frame-scheduler.js';
import type { TunnelIdentity } from '../stream/tunnel.js';
import { encodeFrame, type Frame, TCP_FIN } from '../wire/frame.js';
import type { Reason } from '../wire/reasons.js';
import { decodeRequest, encodeAck, encodeDeny } from '../wire/request.js';
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
  #unanswered = 0;
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
    if (request === undefined || !this.#deps.scheduler.hasRoom) this.#deps.log.debug('dropped a request');
    else if (request.target === undefined) this.#refuse(request.forwardId, 'bad-request');
    else if (isFull) this.#refuse(request.forwardId, 'too-many-tunnels');
    else this.#passOn(request.forwardId, request.target);
  }

  /** What is answered from now on is reset. */
  close(): void {
    this.#isClosed = true;
  }

  #passOn(forwardId: number, target: Target): void {
    this.#unanswered += 1;
    this.#deps.onRequest({
      peerId: this.#deps.peerId,
      target,
      answer: (local, named) => {
        this.#unanswered -= 1;
        if (typeof local === 'string') this.#refuse(forwardId, local);
        else this.#accept(forwardId, { target, ...named }, local);
      },
    });
  }

  #accept(forwardId: number, named: Omit<TunnelIdentity, 'id' | 'side'>, local: TunnelEnd): void {
    if (this.#isClosed) {
      local.reset('connection-lost');
      return;
    }
    const { scheduler, terms, tunnels } = this.#deps;
    const id = tunnels.ids.take();
    if (!scheduler.offer(encodeAck(id, forwardId))) {
      tunnels.ids.release(id);
      local.reset('overflow');
      return;
    }
    tunnels.add({ id, side: 'acceptor', ...named }, local, terms());
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
