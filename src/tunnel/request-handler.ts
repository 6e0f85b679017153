/** The server's role: a request is checked against the policy, its target dialled, and the tunnel made or refused. */
import type { Logger } from '../base/logger.js';
import type { Dialer } from './dialer.js';
import { socketEnd } from './local-end.js';
import { describeReason, type Reason } from './reasons.js';
import { describeTarget, type Target } from './target.js';
import type { TunnelOffer } from './tunnel-offer.js';

/** Of all peers: each is a descriptor, and names are resolved by few threads. */
const MAX_DIALS = 1024;

export type Verdict = { readonly allowed: true } | { readonly allowed: false; readonly reason: string };

/** Decides over one request; asked for each, so that changes of the rules count at once. */
export type MayReach = (peerId: string, target: Target) => Verdict;

export interface RequestHandlerEvents {
  /** `detail` says which rule, or what failed; it is for the owner, the peer is told the reason alone. */
  onRefused(peerId: string, target: Target, reason: Reason, detail: string): void;
}

export class RequestHandler {
  readonly #dialer: Dialer;
  readonly #mayReach: MayReach;
  readonly #log: Logger;
  readonly #events: RequestHandlerEvents;
  #dials = 0;

  constructor(deps: {
    readonly dialer: Dialer;
    readonly mayReach: MayReach;
    readonly log: Logger;
    readonly events: RequestHandlerEvents;
  }) {
    this.#dialer = deps.dialer;
    this.#mayReach = deps.mayReach;
    this.#log = deps.log;
    this.#events = deps.events;
  }

  /** @param hasRoom whether the process may have one more tunnel */
  handle(offer: TunnelOffer, hasRoom: boolean): void {
    const { peerId, target } = offer;
    const verdict = this.#mayReach(peerId, target);
    if (!verdict.allowed) this.#refuse(offer, 'not-allowed', verdict.reason);
    else if (!hasRoom || this.#dials >= MAX_DIALS) this.#refuse(offer, 'too-many-tunnels');
    else this.#dial(offer);
  }

  #dial(offer: TunnelOffer): void {
    this.#dials += 1;
    this.#dialer.dial(offer.target, {
      onConnected: (socket) => {
        this.#dials -= 1;
        // Access may have been taken away while the target was dialled.
        const verdict = this.#mayReach(offer.peerId, offer.target);
        if (verdict.allowed) {
          offer.accept(socketEnd(socket));
          return;
        }
        socket.destroy();
        this.#refuse(offer, 'not-allowed', verdict.reason);
      },
      onFailed: (reason) => {
        this.#dials -= 1;
        this.#refuse(offer, reason);
      },
    });
  }

  #refuse(offer: TunnelOffer, reason: Reason, detail = describeReason(reason)): void {
    this.#log.info(`${offer.peerId.slice(0, 8)}: ${describeTarget(offer.target)} refused: ${detail}`);
    this.#events.onRefused(offer.peerId, offer.target, reason, detail);
    offer.refuse(reason);
  }
}
