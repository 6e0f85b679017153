/** One way to a peer: a UDP address, or a relay that knows it. */
import type { Endpoint } from '../../base/endpoint.js';

export interface Route {
  /** Equal for equal routes. */
  readonly key: string;
  readonly kind: 'udp4' | 'udp6' | 'relay';
  readonly isLan: boolean;
  /** The peer's address; a relay's route has none. */
  readonly endpoint: Endpoint | undefined;
  /** Sends, or loses, one packet; never throws. The buffer stays unchanged afterwards. */
  send(packet: Buffer): void;
}

export class UdpRoute implements Route {
  readonly key: string;
  readonly kind: 'udp4' | 'udp6';
  readonly isLan: boolean;
  readonly endpoint: Endpoint;
  readonly #send: (packet: Buffer, to: Endpoint) => void;

  constructor(endpoint: Endpoint, send: (packet: Buffer, to: Endpoint) => void) {
    this.key = endpoint.key;
    this.kind = endpoint.family === 4 ? 'udp4' : 'udp6';
    this.isLan = endpoint.isLan;
    this.endpoint = endpoint;
    this.#send = send;
  }

  send(packet: Buffer): void {
    this.#send(packet, this.endpoint);
  }
}
