/** Passes each datagram to the handler of its first byte; datagrams without a handler are dropped. */
import type { Endpoint } from '../../base/endpoint.js';
import type { DatagramHandler } from './datagram-socket.js';

/** c-toxcore's receive buffer; no Tox packet is longer. */
const MAX_DATAGRAM_SIZE = 2048;

export class PacketRouter {
  readonly #handlers: (DatagramHandler | undefined)[] = new Array(256).fill(undefined);

  /** @throws RangeError if the kind has a handler */
  route(kind: number, handler: DatagramHandler): void {
    if (this.#handlers[kind] !== undefined) throw new RangeError(`PacketRouter: kind 0x${kind.toString(16)} twice`);
    this.#handlers[kind] = handler;
  }

  receive(packet: Buffer, source: Endpoint): void {
    const handler = packet.length <= MAX_DATAGRAM_SIZE ? this.#handlers[packet[0] ?? -1] : undefined;
    handler?.(packet, source);
  }
}
