/** One route to a peer: a UDP address, or a relay that is connected to it. */
import type { Endpoint } from '../../../base/endpoint.js';

export interface Route {
  /** Equal for equal routes. */
  readonly key: string;
  readonly kind: 'udp4' | 'udp6' | 'relay';
  readonly isLan: boolean;
  /** The peer's address; a relay's route has none. */
  readonly endpoint: Endpoint | undefined;
  /**
   * Whether data gets through: `busy` means that it would be lost for lack of room, `doubtful` that only cookies and
   * handshakes may get through. UDP is never busy: excess packets are lost on the path.
   */
  readonly state: 'ready' | 'busy' | 'doubtful';
  /** Whether the route reports when it is full and queues packets until then, so they need no pacing. */
  readonly pacesItself: boolean;
  /**
   * Sends one packet, which may be lost; never throws. The buffer may change as soon as it returns.
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
