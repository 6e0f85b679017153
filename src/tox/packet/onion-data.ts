/**
 * Messages to a peer that has announced itself at a node (spec: "Onion data"; c-toxcore: onion_client.c), and the announcement of
 * a DHT key, which they carry.
 *
 *     request 0x85    receiver's real key (32) || nonce (24) || ephemeral key (32) || sealed for the receiver's data key
 *     response 0x86   nonce (24) || ephemeral key (32) || the same
 *       sealed        sender's real key (32) || sealed from real key to real key, with the same nonce: data
 *     data 0x9c       no_replay u64 || DHT key (32) || packed nodes, 0 to 4                  DHT key announcement, 41 to 245
 *          0x20       a friend request, see friend.ts
 */
import { ByteReader, ByteWriter } from '../../base/bytes.js';
import { PUBLIC_KEY_SIZE, PublicKey } from '../crypto/keys.js';
import { MAC_SIZE, NONCE_SIZE } from '../crypto/sodium.js';
import { OnionDataKind, UdpKind } from './kind.js';
import { decodePackedNodes, encodePackedNodes, type PackedNode } from './node-info.js';

/** Most bytes of data: a response may have 1069 bytes, of which 121 are overhead. */
export const MAX_ONION_DATA_SIZE = 948;
const RESPONSE_OVERHEAD = 1 + NONCE_SIZE + PUBLIC_KEY_SIZE + MAC_SIZE + PUBLIC_KEY_SIZE + MAC_SIZE;
const MAX_ANNOUNCEMENT_NODES = 4;
const MIN_ANNOUNCEMENT_SIZE = 1 + 8 + PUBLIC_KEY_SIZE;
const MAX_ANNOUNCEMENT_SIZE = MIN_ANNOUNCEMENT_SIZE + MAX_ANNOUNCEMENT_NODES * 51;

/** The sealed data, and what the receiver needs to open it. */
export interface SealedOnionData {
  readonly nonce: Buffer;
  readonly ephemeralKey: PublicKey;
  readonly sealed: Buffer;
}

export interface OnionDataRequest extends SealedOnionData {
  readonly receiver: PublicKey;
}

export function encodeOnionDataRequest({ receiver, nonce, ephemeralKey, sealed }: OnionDataRequest): Buffer {
  return new ByteWriter(1 + PUBLIC_KEY_SIZE + NONCE_SIZE + PUBLIC_KEY_SIZE + sealed.length)
    .u8(UdpKind.OnionDataRequest)
    .bytes(receiver.bytes)
    .bytes(nonce)
    .bytes(ephemeralKey.bytes)
    .bytes(sealed)
    .finish();
}

export function decodeOnionDataRequest(packet: Buffer): OnionDataRequest | undefined {
  const reader = new ByteReader(packet);
  if (reader.u8() !== UdpKind.OnionDataRequest) return undefined;
  const receiver = reader.bytes(PUBLIC_KEY_SIZE);
  const nonce = reader.bytes(NONCE_SIZE);
  const key = reader.bytes(PUBLIC_KEY_SIZE);
  const sealed = reader.rest();
  if (!reader.ok || sealed.length <= MAC_SIZE) return undefined;
  return { receiver: new PublicKey(receiver), nonce, ephemeralKey: new PublicKey(key), sealed };
}

export function encodeOnionDataResponse({ nonce, ephemeralKey, sealed }: SealedOnionData): Buffer {
  return new ByteWriter(1 + NONCE_SIZE + PUBLIC_KEY_SIZE + sealed.length)
    .u8(UdpKind.OnionDataResponse)
    .bytes(nonce)
    .bytes(ephemeralKey.bytes)
    .bytes(sealed)
    .finish();
}

export function decodeOnionDataResponse(packet: Buffer): SealedOnionData | undefined {
  const dataSize = packet.length - RESPONSE_OVERHEAD;
  if (dataSize <= 0 || dataSize > MAX_ONION_DATA_SIZE) return undefined;
  const reader = new ByteReader(packet);
  if (reader.u8() !== UdpKind.OnionDataResponse) return undefined;
  const nonce = reader.bytes(NONCE_SIZE);
  const ephemeralKey = new PublicKey(reader.bytes(PUBLIC_KEY_SIZE));
  return { nonce, ephemeralKey, sealed: reader.rest() };
}

/** The content of the outer box: the sender, and the inner box that proves it. */
interface OnionDataContent {
  readonly sender: PublicKey;
  readonly sealedData: Buffer;
}

export function encodeOnionDataContent({ sender, sealedData }: OnionDataContent): Buffer {
  return Buffer.concat([sender.bytes, sealedData]);
}

export function decodeOnionDataContent(plain: Buffer): OnionDataContent | undefined {
  if (plain.length <= PUBLIC_KEY_SIZE + MAC_SIZE) return undefined;
  const sender = new PublicKey(plain.subarray(0, PUBLIC_KEY_SIZE));
  // A key with its top bit set would be a second name of the same sender.
  if (!sender.isValid) return undefined;
  return { sender, sealedData: plain.subarray(PUBLIC_KEY_SIZE) };
}

/** The present DHT key of a friend, with nodes near it. */
export interface DhtPublicKeyAnnouncement {
  /** Must be greater than the last accepted one; c-toxcore uses the Unix time in seconds. */
  readonly noReplay: bigint;
  readonly dhtKey: PublicKey;
  /** Nodes and relays near the sender, or the sender itself. */
  readonly nodes: readonly PackedNode[];
}

/** @throws RangeError for more than 4 nodes */
export function encodeDhtPublicKeyAnnouncement({ noReplay, dhtKey, nodes }: DhtPublicKeyAnnouncement): Buffer {
  if (nodes.length > MAX_ANNOUNCEMENT_NODES) throw new RangeError('DHT key announcement: at most 4 nodes');
  const packed = encodePackedNodes(nodes);
  return new ByteWriter(MIN_ANNOUNCEMENT_SIZE + packed.length)
    .u8(OnionDataKind.DhtPublicKey)
    .u64(noReplay)
    .bytes(dhtKey.bytes)
    .bytes(packed)
    .finish();
}

export function decodeDhtPublicKeyAnnouncement(data: Buffer): DhtPublicKeyAnnouncement | undefined {
  if (data.length > MAX_ANNOUNCEMENT_SIZE) return undefined;
  const reader = new ByteReader(data);
  if (reader.u8() !== OnionDataKind.DhtPublicKey) return undefined;
  const noReplay = reader.u64();
  const key = reader.bytes(PUBLIC_KEY_SIZE);
  if (!reader.ok) return undefined;
  // As in c-toxcore, the key is valid even if a node after it is unreadable.
  const { nodes } = decodePackedNodes(reader.rest(), MAX_ANNOUNCEMENT_NODES, 'udp and tcp');
  return { noReplay, dhtKey: new PublicKey(key), nodes };
}
