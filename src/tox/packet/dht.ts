/**
 * The packets with which nodes find each other (spec: "DHT Packet", "RPC Services", "LAN discovery").
 *
 *     kind (1) || sender's DHT key (32) || nonce (24) || box of the plain content (16 more than it)
 *
 *     ping, both ways   kind again (1) || id (8)                                      82 bytes in all
 *     nodes request     key searched for (32) || id (8)                              113 bytes in all
 *     nodes response    count (1) || packed nodes, UDP only, at most 4 || id (8)      82 bytes and the nodes
 *
 * These packets are not encrypted: LAN discovery, and the version and message of a node (c-toxcore: bootstrap_node_packets.c).
 *
 *     LAN discovery     0x21 || sender's DHT key (32)
 *     info request      0xf0 || 77 unused bytes
 *     info response     0xf0 || version u32 || message of the day, at most 256 bytes
 */
import { ByteReader, ByteWriter } from '../../base/bytes.js';
import { PUBLIC_KEY_SIZE, PublicKey } from '../crypto/keys.js';
import { MAC_SIZE, NONCE_SIZE } from '../crypto/sodium.js';
import { UdpKind } from './kind.js';
import { decodePackedNodes, encodePackedNodes, type NodeInfo, packedNodeSize } from './node-info.js';

export const MAX_NODES_IN_RESPONSE = 4;

const HEADER_SIZE = 1 + PUBLIC_KEY_SIZE + NONCE_SIZE;
const ID_SIZE = 8;
const INFO_REQUEST_SIZE = 78;
const MAX_MOTD_SIZE = 256;
const MAX_PACKET_SIZE = HEADER_SIZE + MAC_SIZE + 1 + MAX_NODES_IN_RESPONSE * 51 + ID_SIZE;

/** A packet on the wire: its sender is readable by all, its content by the receiver only. */
interface SealedDhtPacket {
  readonly kind: number;
  readonly sender: PublicKey;
  readonly nonce: Buffer;
  readonly sealed: Buffer;
}

interface PingPlain {
  readonly kind: typeof UdpKind.PingRequest | typeof UdpKind.PingResponse;
  readonly id: bigint;
}

/** Requests the nodes nearest to `target`. */
interface NodesRequestPlain {
  readonly target: PublicKey;
  readonly id: bigint;
}

interface NodesResponsePlain {
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

/** Encodes a ping; the kind is repeated in the sealed content, so that a request cannot be turned into a response. */
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

/** @throws RangeError for more than four nodes */
export function encodeNodesResponse({ nodes, id }: NodesResponsePlain): Buffer {
  if (nodes.length > MAX_NODES_IN_RESPONSE) throw new RangeError('encodeNodesResponse: at most four nodes');
  const size = nodes.reduce((sum, node) => sum + packedNodeSize(node), 0);
  return new ByteWriter(1 + size + ID_SIZE)
    .u8(nodes.length)
    .bytes(encodePackedNodes(nodes.map((node) => ({ ...node, transport: 'udp' }))))
    .u64(id)
    .finish();
}

/** Decodes a response. An empty list is accepted, unlike in c-toxcore, since it shows that the node is alive. */
export function decodeNodesResponse(plain: Buffer): NodesResponsePlain | undefined {
  const reader = new ByteReader(plain);
  const count = reader.u8();
  const packed = reader.bytes(reader.remaining - ID_SIZE);
  const id = reader.u64();
  if (!reader.isComplete || count > MAX_NODES_IN_RESPONSE) return undefined;
  const { nodes, size } = decodePackedNodes(packed, count, 'udp');
  return nodes.length === count && size === packed.length ? { nodes, id } : undefined;
}

export function encodeLanDiscovery(sender: PublicKey): Buffer {
  return new ByteWriter(1 + PUBLIC_KEY_SIZE).u8(UdpKind.LanDiscovery).bytes(sender.bytes).finish();
}

export function decodeLanDiscovery(packet: Buffer): PublicKey | undefined {
  const reader = new ByteReader(packet);
  const kind = reader.u8();
  const sender = reader.bytes(PUBLIC_KEY_SIZE);
  return reader.isComplete && kind === UdpKind.LanDiscovery ? new PublicKey(sender) : undefined;
}

export interface BootstrapInfo {
  readonly version: number;
  readonly motd: string;
}

export function isBootstrapInfoRequest(packet: Buffer): boolean {
  return packet.length === INFO_REQUEST_SIZE && packet[0] === UdpKind.BootstrapInfo;
}

/** @throws RangeError if the message of the day is longer than 256 bytes in UTF-8 */
export function encodeBootstrapInfo({ version, motd }: BootstrapInfo): Buffer {
  const text = Buffer.from(motd);
  if (text.length > MAX_MOTD_SIZE) throw new RangeError('encodeBootstrapInfo: message of the day too long');
  return new ByteWriter(5 + text.length).u8(UdpKind.BootstrapInfo).u32(version).bytes(text).finish();
}
