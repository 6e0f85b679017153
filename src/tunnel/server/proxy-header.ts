/**
 * The header of the PROXY protocol, version 2, with which a connection begins to a target that asks for it ("The PROXY protocol",
 * haproxy, section 2.2): which client it is from.
 *
 *     0d0a0d0a000d0a515549540a | 0x21 (version 2, PROXY) | family u8 | length u16 of the rest
 *     source address | destination address | source port u16 | destination port u16
 *     0xe0 | length u16 | the public key of the client, 64 lower-case hex digits
 *
 * The family is 0x11 (TCP over IPv4), or 0x21 (TCP over IPv6) where the target has an IPv6 address: both addresses are of one family.
 */
import { Endpoint } from '../../base/endpoint.js';

const SIGNATURE = Buffer.from('0d0a0d0a000d0a515549540a', 'hex');
const VERSION_2_PROXY = 0x21;
const [TCP_OVER_IPV4, TCP_OVER_IPV6] = [0x11, 0x21] as const;
/** A type that the specification leaves to applications (PP2_TYPE_MIN_CUSTOM). */
const PUBLIC_KEY = 0xe0;
/** ::ffff:0:0/96. */
const MAPPED = Buffer.from('00000000000000000000ffff', 'hex');
/** The destination of a connection that has no address, such as that of a Unix socket. */
const NOWHERE: Place = { address: '127.0.0.1', port: 0 };

export interface Place {
  /** Literal. */
  readonly address: string;
  readonly port: number;
}

/**
 * @param source the address of the client, of IPv4
 * @param destination what the target is reached by; undefined for a Unix socket
 * @param publicKey of the client, in hex
 */
export function encodeProxyHeader(source: Place, destination: Place | undefined, publicKey: string): Buffer {
  const to = destination ?? NOWHERE;
  const bytesTo = addressBytes(to.address);
  const isIPv6 = bytesTo.length > 4;
  const bytesFrom = addressBytes(source.address);
  const ports = Buffer.alloc(4);
  ports.writeUInt16BE(source.port);
  ports.writeUInt16BE(to.port, 2);
  const key = Buffer.from(publicKey.toLowerCase(), 'latin1');
  const tlv = Buffer.from([PUBLIC_KEY, key.length >> 8, key.length & 0xff]);
  const rest = Buffer.concat([isIPv6 ? MAPPED : Buffer.alloc(0), bytesFrom, bytesTo, ports, tlv, key]);
  const head = Buffer.from([
    VERSION_2_PROXY,
    isIPv6 ? TCP_OVER_IPV6 : TCP_OVER_IPV4,
    rest.length >> 8,
    rest.length & 0xff,
  ]);
  return Buffer.concat([SIGNATURE, head, rest]);
}

function addressBytes(address: string): Buffer {
  const endpoint = Endpoint.of(address.replace(/%.*/, ''), 0);
  if (endpoint === undefined) throw new RangeError(`"${address}" is no address`);
  return endpoint.toBytes();
}
