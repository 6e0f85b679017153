/**
 * The four packets with which nodes find each other (spec: "DHT Packet", "RPC Services").
 *
 *     kind (1) || sender's DHT key (32) || nonce (24) || box of the plain content (16 more than it)
 *
 *     ping, both ways   kind again (1) || id (8)                                      82 bytes in all
 *     nodes request     key searched for (32) || id (8)                              113 bytes in all
 *     nodes response    count (1) || packed nodes, UDP only, at most 4 || id (8)      82 bytes and the nodes
 */
import { ByteReader, ByteWriter } from '../../base/bytes.js';
import { PublicKey } from '../crypto/keys.js';
import { MAC_SIZE, NONCE_SIZE, PUBLIC_KEY_SIZE } from '../crypto/sodium.js';
import { UdpKind } from './kind.js';
import { decodePackedNodes, encodePackedNodes, type NodeInfo, packedNodeSize } from './node-info.js';

export const MAX_NODES_IN_RESPONSE = 4;

const HEADER_SIZE = 1 + PUBLIC_KEY_SIZE + NONCE_SIZE;
const ID_SIZE = 8;
const MAX_PACKET_SIZE = HEADER_SIZE + MAC_SIZE + 1 + MAX_NODES_IN_RESPONSE * 51 + ID_SIZE;

/** What travels. Anybody can read who sent it, only the receiver what it says. */
export interface SealedDhtPacket {
  readonly kind: number;
  readonly sender: PublicKey;
  readonly nonce: Buffer;
  readonly sealed: Buffer;
}

/** Asks whether the receiver is alive, or says so. */
export interface PingPlain {
  readonly kind: typeof UdpKind.PingRequest | typeof UdpKind.PingResponse;
  readonly id: bigint;
}

/** Asks for the nodes nearest to `target`. */
export interface NodesRequestPlain {
  readonly target: PublicKey;
  readonly id: bigint;
}

export interface NodesResponsePlain {
  readonly nodes: readonly NodeInfo[];
  readonly id: bigint;
}

export function encodeDhtPacket({ kind, sender, nonce, sealed }: SealedDhtPacket): Buffer {
  return new ByteWriter(HEADER_SIZE + sealed.length).u8(kind).bytes(sender.bytes).bytes(nonce).bytes(sealed).finish();
}

export function decodeDhtPacket(packet: Buffer): SealedDhtPacket | undefined {
  if (packet.length <= HEADER_SIZE + MAC_SIZE || packet.length > MAX_PACKET_SIZE) return undefined;
  const reader = new ByteReader(packet);
  const kind = reader.u8();
  const sender = new PublicKey(reader.bytes(PUBLIC_KEY_SIZE));
  const nonce = reader.bytes(NONCE_SIZE);
  const sealed = reader.rest();
  return { kind, sender, nonce, sealed };
}

/** The kind stands inside once more, so that nobody can turn a request into a response. */
export function encodePing({ kind, id }: PingPlain): Buffer {
  return new ByteWriter(1 + ID_SIZE).u8(kind).u64(id).finish();
}

export function decodePing(plain: Buffer): PingPlain | undefined {
  const reader = new ByteReader(plain);
  const kind = reader.u8();
  const id = reader.u64();
  if (!reader.isComplete) return undefined;
  return kind === UdpKind.PingRequest || kind === UdpKind.PingResponse ? { kind, id } : undefined;
}

export function encodeNodesRequest({ target, id }: NodesRequestPlain): Buffer {
  return new ByteWriter(PUBLIC_KEY_SIZE + ID_SIZE).bytes(target.bytes).u64(id).finish();
}

export function decodeNodesRequest(plain: Buffer): NodesRequestPlain | undefined {
  const reader = new ByteReader(plain);
  const target = reader.bytes(PUBLIC_KEY_SIZE);
  const id = reader.u64();
  return reader.isComplete ? { target: new PublicKey(target), id } : undefined;
}

/** @throws RangeError on more than four nodes */
export function encodeNodesResponse({ nodes, id }: NodesResponsePlain): Buffer {
  if (nodes.length > MAX_NODES_IN_RESPONSE) throw new RangeError('encodeNodesResponse: at most four nodes');
  const size = nodes.reduce((sum, node) => sum + packedNodeSize(node), 0);
  return new ByteWriter(1 + size + ID_SIZE)
    .u8(nodes.length)
    .bytes(encodePackedNodes(nodes.map((node) => ({ ...node, transport: 'udp' }))))
    .u64(id)
    .finish();
}

/** No nodes at all is accepted, unlike in c-toxcore: such an answer still is a sign of life. */
export function decodeNodesResponse(plain: Buffer): NodesResponsePlain | undefined {
  const reader = new ByteReader(plain);
  const count = reader.u8();
  const packed = reader.bytes(reader.remaining - ID_SIZE);
  const id = reader.u64();
  if (!reader.isComplete || count > MAX_NODES_IN_RESPONSE) return undefined;
  const { nodes, size } = decodePackedNodes(packed, count, 'udp');
  return nodes.length === count && size === packed.length ? { nodes, id } : undefined;
}
