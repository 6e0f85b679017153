/** The way to one peer over relays, as net_crypto sees it: whichever relays there are at the moment of sending. */
import type { PublicKey } from '../crypto/keys.js';

/** What sends to peers over relays. */
export interface RelaySender {
  /** Sends, or loses, a net_crypto packet. @param via the relay by which the peer was heard, if it is a stranger */
  sendTo(peer: PublicKey, packet: Buffer, via: PublicKey | undefined): void;
  stateOf(peer: PublicKey): RelayRouteState;
  pacesItself(peer: PublicKey): boolean;
}

/** `ready`: data arrive. `busy`: they would, but the socket is full. `doubtful`: cookies and handshakes may get through. */
export type RelayRouteState = 'ready' | 'busy' | 'doubtful';

/** Routes to one peer are all equal: they differ only in where a stranger's answer goes. */
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
