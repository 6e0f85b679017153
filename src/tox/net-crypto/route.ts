/** One way to a peer: a UDP address, or a relay that knows it. */
import type { Endpoint } from '../../base/endpoint.js';

export interface Route {
  /** Equal for equal routes. */
  readonly key: string;
  readonly kind: 'udp4' | 'udp6' | 'relay';
  readonly isLan: boolean;
  /** The peer's address; a relay's route has none. */
  readonly endpoint: Endpoint | undefined;
  /**
   * How data fare: `busy` means that they would be lost for want of room, `doubtful` that no more than cookies and
   * handshakes may get through. Datagrams are never busy: what is too much is lost on the way.
   */
  readonly state: 'ready' | 'busy' | 'doubtful';
  /** Whether it says when it is full, and lets packets gather until then: there is no need to spread them over time. */
  readonly pacesItself: boolean;
  /**
   * Sends, or loses, one packet; never throws. The buffer may change as soon as it returns.
   * @param onRefused called, later, where the system would not send it
   */
  send(packet: Buffer, onRefused?: () => void): void;
}

/** @param onRefused called, later, where the system would not send it */
export type SendDatagram = (packet: Buffer, to: Endpoint, onRefused?: () => void) => void;

export class UdpRoute implements Route {
  readonly key: string;
  readonly kind: 'udp4' | 'udp6';
  readonly isLan: boolean;
  readonly endpoint: Endpoint;
  readonly state = 'ready';
  readonly pacesItself = false;
  readonly #send: SendDatagram;

  constructor(endpoint: Endpoint, send: SendDatagram) {
    this.key = endpoint.key;
    this.kind = endpoint.family === 4 ? 'udp4' : 'udp6';
    this.isLan = endpoint.isLan;
    this.endpoint = endpoint;
    this.#send = send;
  }

  send(packet: Buffer, onRefused?: () => void): void {
    this.#send(packet, this.endpoint, onRefused);
  }
}
