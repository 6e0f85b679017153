/** The server's role: a request is checked against the policy, its target dialled, and the tunnel made or refused. */
import type { FloodLog } from '../../base/flood-log.js';
import type { TunnelOffer } from '../link/incoming-request.js';
import { socketEnd } from '../stream/local-end.js';
import { describeReason, type Reason } from '../wire/reasons.js';
import { describeTarget, type Target } from '../wire/target.js';
import type { Dialer, Dialling } from './dialer.js';

/** Targets being dialled for one peer: a burst of a browser. */
const MAX_PEER_DIALS = 256;

export type Verdict = { readonly allowed: true } | { readonly allowed: false; readonly reason: string };

/**
 * Decides over one request; asked for each, so that changes of the rules count at once.
 * @param address literal, of the target, to which the connection goes; undefined while it is not known: then `allowed` means
 * that it depends on the address, or does not
 */
export type MayReach = (peerId: string, target: Target, address?: string) => Verdict;

export interface RequestHandlerEvents {
  /** `detail` says which rule, or what failed; it is for the owner, the peer is told the reason alone. */
  onRefused(peerId: string, target: Target, reason: Reason, detail: string): void;
  /** The target is being dialled from now on, until `onDialled`. */
  onDialling(offer: TunnelOffer): void;
  /** It is connected, and `accept` makes the tunnel; or it is not, and there is nothing to accept. */
  onDialled(offer: TunnelOffer, accept: (() => void) | undefined): void;
}

export class RequestHandler {
  readonly #dialer: Dialer;
  readonly #mayReach: MayReach;
  readonly #said: FloodLog;
  readonly #nameOf: (peerId: string) => string;
  readonly #events: RequestHandlerEvents;
  readonly #dials = new Map<TunnelOffer, Dialling>();
  /** Why nothing is taken any more. */
  #closed: Reason | undefined;

  constructor(deps: {
    readonly dialer: Dialer;
    readonly mayReach: MayReach;
    /** What is told of peers. */
    readonly said: FloodLog;
    readonly nameOf: (peerId: string) => string;
    readonly events: RequestHandlerEvents;
  }) {
    this.#dialer = deps.dialer;
    this.#mayReach = deps.mayReach;
    this.#said = deps.said;
    this.#nameOf = deps.nameOf;
    this.#events = deps.events;
  }

  /** @param full why this peer may have no tunnel more; undefined when it may */
  handle(offer: TunnelOffer, full: string | undefined): void {
    const { peerId, target } = offer;
    const verdict = this.#mayReach(peerId, target);
    if (this.#closed !== undefined) this.#refuse(offer, this.#closed);
    else if (!verdict.allowed) this.#refuse(offer, 'not-allowed', verdict.reason);
    else if (full !== undefined) this.#refuse(offer, 'too-many-tunnels', full);
    else if (this.dials(peerId) >= MAX_PEER_DIALS) this.#refuse(offer, 'too-many-tunnels');
    else this.#dial(offer);
  }

  /** Gives up what is being dialled for an offer. */
  refuse(offer: TunnelOffer, reason: Reason): void {
    const dialling = this.#dials.get(offer);
    if (dialling === undefined) return;
    dialling.cancel();
    this.#end(offer);
    this.#refuse(offer, reason);
  }

  /** Refuses what is being dialled, and all that comes from now on. */
  close(reason: Reason): void {
    this.#closed = reason;
    for (const offer of [...this.#dials.keys()]) this.refuse(offer, reason);
  }

  /** Gives up what is being dialled; the offers stay unanswered. */
  stop(): void {
    for (const dialling of this.#dials.values()) dialling.cancel();
    this.#dials.clear();
  }

  /** Targets that are being dialled for a peer. */
  dials(peerId: string): number {
    let count = 0;
    for (const offer of this.#dials.keys()) if (offer.peerId === peerId) count += 1;
    return count;
  }

  #dial(offer: TunnelOffer): void {
    const { peerId, target } = offer;
    let refusal: string | undefined;
    const mayConnect = (address: string): boolean => {
      const verdict = this.#mayReach(peerId, target, address);
      if (!verdict.allowed) refusal = verdict.reason;
      return verdict.allowed;
    };
    const dialling = this.#dialer.dial(peerId, target, {
      mayConnect,
      onConnected: (socket, address) => {
        // Access may have been taken away while the target was dialled.
        const isAllowed = mayConnect(address);
        this.#end(offer, isAllowed ? () => offer.accept(socketEnd(socket)) : undefined);
        if (isAllowed) return;
        socket.destroy();
        this.#refuse(offer, 'not-allowed', refusal);
      },
      onFailed: (reason, code) => {
        this.#end(offer);
        const detail = code === undefined ? undefined : `${describeReason(reason)} (${code})`;
        this.#refuse(offer, reason, reason === 'not-allowed' ? refusal : detail);
      },
    });
    this.#dials.set(offer, dialling);
    this.#events.onDialling(offer);
  }

  #end(offer: TunnelOffer, accept?: () => void): void {
    this.#dials.delete(offer);
    this.#events.onDialled(offer, accept);
  }

  #refuse(offer: TunnelOffer, reason: Reason, detail = describeReason(reason)): void {
    const { peerId, target } = offer;
    const name = this.#nameOf(peerId);
    const text = `${name}: ${describeTarget(target)} refused: ${detail}`;
    this.#said.say({ source: peerId, name, kind: 'request refused', level: 'info', text });
    this.#events.onRefused(peerId, target, reason, detail);
    offer.refuse(reason);
  }
}
