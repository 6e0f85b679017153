/** Which part of the stack gets which datagrams: all of them on one page, duplicates refused by the router. */
import type { DatagramHandler } from './network/datagram-socket.js';
import type { PacketRouter } from './network/packet-router.js';

/** A part of the stack that receives datagrams, by their first byte (packet/kind). */
export interface Receiver {
  routes(): readonly (readonly [kind: number, handler: DatagramHandler])[];
}

export interface Receivers {
  /** 0x00 to 0x04, 0x20, 0x21, 0xf0: ping, nodes, DHT requests, LAN discovery, bootstrap info. */
  readonly dht: Receiver;
  /** 0x80 to 0x82, 0x8c to 0x8e: layers and sendbacks of the onion, for others. */
  readonly onionRelay: Receiver;
  /** 0x83, 0x85, 0x87: announcements stored, told and reached, for others. */
  readonly announceServer: Receiver;
  /** 0x84, 0x86: answers to our announcements and searches, and data for us. */
  readonly onion: Receiver;
  /** 0x18 to 0x1b: cookies, handshakes, data. */
  readonly netCrypto: Receiver;
}

export function connectRoutes(router: PacketRouter, receivers: Receivers): void {
  for (const receiver of Object.values(receivers) as Receiver[]) {
    for (const [kind, handler] of receiver.routes()) router.route(kind, handler);
  }
}
