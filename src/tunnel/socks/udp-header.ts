/**
 * A datagram between a program and the proxy (RFC 1928, chapter 7): where it goes to, and in an answer where it comes from.
 *
 *     00 00 | fragment u8 | address | port u16 | bytes
 */
import { decodeAddress, encodeAddress } from './socks5.js';

export interface ProxyDatagram {
  readonly host: string;
  readonly port: number;
  readonly bytes: Buffer;
}

const START = Buffer.of(0, 0, 0);

/** Returns undefined for one that is dropped: a fragment, as the chapter permits, and one for no host and port. */
export function decodeProxyDatagram(packet: Buffer): ProxyDatagram | undefined {
  if (packet[2] !== 0) return undefined;
  const address = decodeAddress(packet, START.length);
  if (typeof address === 'string') return undefined;
  const { host, port } = address.message;
  return host === undefined || port === 0 ? undefined : { host, port, bytes: packet.subarray(address.size) };
}

/** @param datagram.host as the program named it: the literal address of a name is known to the server alone */
export const encodeProxyDatagram = ({ host, port, bytes }: ProxyDatagram): Buffer =>
  Buffer.concat([START, encodeAddress({ host, port }), bytes]);
