/**
 * The two address formats of the Tox wire.
 *
 *     packed node   family (1) || address (4 | 16) || port u16 || public key (32)          39 or 51 bytes
 *     onion IP_Port family (1) || address padded with zeros to 16      || port u16          19 bytes
 *
 * Families: 2 UDP over IPv4, 10 UDP over IPv6, 130 TCP over IPv4, 138 TCP over IPv6 (spec: "Packed node format").
 */
import { ByteReader, ByteWriter } from '../../base/bytes.js';
import { Endpoint } from '../../base/endpoint.js';
import { PublicKey } from '../crypto/keys.js';

const UDP_IPV4 = 2;
const UDP_IPV6 = 10;
const TCP_IPV4 = 130;
const TCP_IPV6 = 138;

export const IP_PORT_SIZE = 19;
/** The shorter of the two, with an IPv4 address. */
export const MIN_PACKED_NODE_SIZE = 39;

/** A DHT node, which is reached by UDP. */
export interface NodeInfo {
  readonly publicKey: PublicKey;
  readonly endpoint: Endpoint;
}

/** A node in a packet: a DHT node, or a TCP relay. */
export interface PackedNode extends NodeInfo {
  readonly transport: 'udp' | 'tcp';
}

export function packedNodeSize(node: NodeInfo): number {
  return node.endpoint.family === 4 ? 39 : 51;
}

export function encodePackedNodes(nodes: readonly PackedNode[]): Buffer {
  const writer = new ByteWriter(nodes.reduce((sum, node) => sum + packedNodeSize(node), 0));
  for (const { transport, endpoint, publicKey } of nodes) {
    const isIpv4 = endpoint.family === 4;
    writer
      .u8(transport === 'udp' ? (isIpv4 ? UDP_IPV4 : UDP_IPV6) : isIpv4 ? TCP_IPV4 : TCP_IPV6)
      .bytes(endpoint.toBytes())
      .u16(endpoint.port)
      .bytes(publicKey.bytes);
  }
  return writer.finish();
}

/**
 * Reads up to `limit` nodes until the bytes end or a node is unreadable, like c-toxcore's unpack_nodes.
 * @param allowed without 'tcp' a relay counts as unreadable, as in DHT and announce packets
 * @returns the nodes and their size in bytes
 */
export function decodePackedNodes(
  bytes: Buffer,
  limit: number,
  allowed: 'udp' | 'udp and tcp',
): { readonly nodes: PackedNode[]; readonly size: number } {
  const nodes: PackedNode[] = [];
  const reader = new ByteReader(bytes);
  let size = 0;
  while (nodes.length < limit && reader.remaining > 0) {
    const family = reader.u8();
    const isIpv4 = family === UDP_IPV4 || family === TCP_IPV4;
    const isUdp = family === UDP_IPV4 || family === UDP_IPV6;
    if (!isIpv4 && family !== UDP_IPV6 && family !== TCP_IPV6) break;
    if (!isUdp && allowed === 'udp') break;
    const address = reader.bytes(isIpv4 ? 4 : 16);
    const port = reader.u16();
    const key = reader.bytes(32);
    if (!reader.ok) break;
    size = bytes.length - reader.remaining;
    nodes.push({
      transport: isUdp ? 'udp' : 'tcp',
      endpoint: Endpoint.ofBytes(address, port),
      publicKey: new PublicKey(key),
    });
  }
  return { nodes, size };
}

export function encodeIpPort(endpoint: Endpoint): Buffer {
  const address = endpoint.toBytes();
  return new ByteWriter(IP_PORT_SIZE)
    .u8(endpoint.family === 4 ? UDP_IPV4 : UDP_IPV6)
    .bytes(address)
    .zeros(16 - address.length)
    .u16(endpoint.port)
    .finish();
}

/** Returns undefined for a family other than 2 and 10, which no packet may contain. */
export function decodeIpPort(bytes: Buffer): Endpoint | undefined {
  const reader = new ByteReader(bytes);
  const family = reader.u8();
  const address = reader.bytes(16);
  const port = reader.u16();
  if (!reader.isComplete) return undefined;
  if (family === UDP_IPV4) return Endpoint.ofBytes(address.subarray(0, 4), port);
  if (family === UDP_IPV6) return Endpoint.ofBytes(address, port);
  return undefined;
}
