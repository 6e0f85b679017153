/** UDP as the protocol needs it. The real socket is in udp-socket, the simulated one in the tests. */
import type { Endpoint } from '../../base/endpoint.js';

/** Receives one datagram. The bytes belong to the receiver and are not reused. */
export type DatagramHandler = (packet: Buffer, source: Endpoint) => void;

/** Whether our addon sends and receives, in batches, or Node. */
export type SocketKind = 'native' | 'node';

export interface DatagramSocket {
  /** Undefined for a socket that is not the system's. */
  readonly kind?: SocketKind | undefined;
  readonly localPort: number;
  /** Whether the socket can reach IPv6 destinations. */
  readonly hasIpv6: boolean;
  /** Returns the fragments that the system has made so far, of the datagrams of all programs; always 0 if unknown. */
  fragmentsMade(): number;
  /** Returns the MTU of the interface towards a destination, bytes of IP; undefined if unknown. Never rejects. */
  mtuTowards(destination: Endpoint): Promise<number | undefined>;
  /**
   * Sends one datagram of at most 2048 bytes, which may be lost; never throws. The buffer may change as soon as it returns.
   * @param onRefused called, later, if the system would not send it although the socket works; it may remain uncalled
   */
  send(packet: Buffer, destination: Endpoint, onRefused?: () => void): void;
  close(): void;
}

/** The socket of a peer that must not send datagrams, because a proxy or a firewall passes none: it loses all of them. */
export const noUdp: DatagramSocket = {
  localPort: 0,
  hasIpv6: false,
  fragmentsMade: () => 0,
  mtuTowards: async () => undefined,
  send: () => {},
  close: () => {},
};
