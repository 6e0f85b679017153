/** The one door for datagrams: a table from the first byte to its handler. What has no handler is counted and dropped. */
import type { Endpoint } from '../../base/endpoint.js';
import type { DatagramHandler } from './datagram-socket.js';

/** c-toxcore's receive buffer; nothing longer is Tox. */
const MAX_DATAGRAM_SIZE = 2048;

export class PacketRouter {
  readonly #handlers: (DatagramHandler | undefined)[] = new Array(256).fill(undefined);
  #dropped = 0;

  /** @throws RangeError when the kind has a handler already */
  route(kind: number, handler: DatagramHandler): void {
    if (this.#handlers[kind] !== undefined) throw new RangeError(`PacketRouter: kind 0x${kind.toString(16)} twice`);
    this.#handlers[kind] = handler;
  }

  /** Datagrams that no handler wanted. */
  get dropped(): number {
    return this.#dropped;
  }

  receive(packet: Buffer, source: Endpoint): void {
    const handler = packet.length <= MAX_DATAGRAM_SIZE ? this.#handlers[packet[0] ?? -1] : undefined;
    if (handler === undefined) this.#dropped += 1;
    else handler(packet, source);
  }
}
