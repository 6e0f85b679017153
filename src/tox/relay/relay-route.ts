/** The route to one peer over relays, as net_crypto sees it; which relays carry a packet is decided when it is sent. */
import type { PublicKey } from '../crypto/keys.js';

export interface RelaySender {
  /** Sends a net_crypto packet, which may get lost. @param via the relay from which a stranger's packet came */
  sendTo(peer: PublicKey, packet: Buffer, via: PublicKey | undefined): void;
  stateOf(peer: PublicKey): RelayRouteState;
  pacesItself(peer: PublicKey): boolean;
}

/** `ready`: data can be sent. `busy`: the sockets are full. `doubtful`: only cookies and handshakes may get through. */
export type RelayRouteState = 'ready' | 'busy' | 'doubtful';

/** All routes to one peer have the same key; they differ only in where a stranger is answered. */
export class RelayRoute {
  readonly key: string;
  readonly kind = 'relay';
  readonly isLan = false;
  readonly endpoint = undefined;
  readonly peer: PublicKey;
  /** The relay that brought the packet which this route answers. */
  readonly via: PublicKey | undefined;
  readonly #sender: RelaySender;

  constructor(sender: RelaySender, peer: PublicKey, via?: PublicKey) {
    this.#sender = sender;
    this.peer = peer;
    this.via = via;
    this.key = `relay:${peer.hex}`;
  }

  get state(): RelayRouteState {
    return this.#sender.stateOf(this.peer);
  }

  get pacesItself(): boolean {
    return this.#sender.pacesItself(this.peer);
  }

  send(packet: Buffer): void {
    this.#sender.sendTo(this.peer, packet, this.via);
  }
}
