/** What the protocol needs of UDP; the real one is in udp-socket, the simulated one in the tests. */
import type { Endpoint } from '../../base/endpoint.js';

/** Receives one datagram. The bytes belong to the receiver and are not reused. */
export type DatagramHandler = (packet: Buffer, source: Endpoint) => void;

/** Whether our addon sends and receives, in batches, or Node. */
export type SocketKind = 'native' | 'node';

export interface DatagramSocket {
  /** Undefined where none of the system's sockets is behind it. */
  readonly kind?: SocketKind;
  readonly localPort: number;
  /** True when the socket can reach IPv6 destinations. */
  readonly hasIpv6: boolean;
  /** Fragments that the system has made of datagrams so far, of those of all programs; always 0 where it does not say. */
  fragmentsMade(): number;
  /** Bytes of IP that the interface takes by which datagrams go there; undefined where the system does not say. Never rejects. */
  mtuTowards(destination: Endpoint): Promise<number | undefined>;
  /**
   * Sends, or loses, one datagram of at most 2048 bytes; never throws. The buffer may change as soon as it returns.
   * @param onRefused called, later, where the system would not send it though the socket lives; nothing is known without a call
   */
  send(packet: Buffer, destination: Endpoint, onRefused?: () => void): void;
  close(): void;
}
