/**
 * A packet for a node whose address is unknown to the sender, forwarded by a node that knows it (spec: "DHT Request Packets").
 *
 *     0x20 || receiver's DHT key (32) || sender's DHT key (32) || nonce (24) || box of the plain content
 *     plain: kind (1) || data                                                          106 to 1040 bytes in all
 *
 *     data of a NAT ping: type (1: 0 request, 1 response) || id (8)
 */
import { ByteReader, ByteWriter } from '../../base/bytes.js';
import { PUBLIC_KEY_SIZE, PublicKey } from '../crypto/keys.js';
import { MAC_SIZE, NONCE_SIZE } from '../crypto/sodium.js';
import { UdpKind } from './kind.js';

const HEADER_SIZE = 1 + 2 * PUBLIC_KEY_SIZE + NONCE_SIZE;
/** The limits of c-toxcore, which accepts 16 bytes more than it sends. */
const MAX_SENT_SIZE = 1024;
const MAX_RECEIVED_SIZE = 1040;

/** Bytes of data that one request can carry. */
export const MAX_DHT_REQUEST_DATA_SIZE = MAX_SENT_SIZE - HEADER_SIZE - MAC_SIZE - 1;

export interface SealedDhtRequest {
  readonly receiver: PublicKey;
  readonly sender: PublicKey;
  readonly nonce: Buffer;
  readonly sealed: Buffer;
}

export interface DhtRequestPlain {
  readonly kind: number;
  readonly data: Buffer;
}

export interface NatPing {
  readonly type: 'request' | 'response';
  readonly id: bigint;
}

export function encodeDhtRequest({ receiver, sender, nonce, sealed }: SealedDhtRequest): Buffer {
  return new ByteWriter(HEADER_SIZE + sealed.length)
    .u8(UdpKind.DhtRequest)
    .bytes(receiver.bytes)
    .bytes(sender.bytes)
    .bytes(nonce)
    .bytes(sealed)
    .finish();
}

export function decodeDhtRequest(packet: Buffer): SealedDhtRequest | undefined {
  if (packet.length <= HEADER_SIZE + MAC_SIZE || packet.length > MAX_RECEIVED_SIZE) return undefined;
  const reader = new ByteReader(packet);
  if (reader.u8() !== UdpKind.DhtRequest) return undefined;
  const receiver = new PublicKey(reader.bytes(PUBLIC_KEY_SIZE));
  const sender = new PublicKey(reader.bytes(PUBLIC_KEY_SIZE));
  const nonce = reader.bytes(NONCE_SIZE);
  return { receiver, sender, nonce, sealed: reader.rest() };
}

/** @throws RangeError if the data would make the packet longer than nodes forward */
export function encodeDhtRequestPlain({ kind, data }: DhtRequestPlain): Buffer {
  if (data.length > MAX_DHT_REQUEST_DATA_SIZE) throw new RangeError('encodeDhtRequestPlain: too much data');
  return new ByteWriter(1 + data.length).u8(kind).bytes(data).finish();
}

export function decodeDhtRequestPlain(plain: Buffer): DhtRequestPlain | undefined {
  const reader = new ByteReader(plain);
  const kind = reader.u8();
  const data = reader.rest();
  return reader.isComplete ? { kind, data } : undefined;
}

export function encodeNatPing({ type, id }: NatPing): Buffer {
  return new ByteWriter(9)
    .u8(type === 'request' ? 0 : 1)
    .u64(id)
    .finish();
}

export function decodeNatPing(data: Buffer): NatPing | undefined {
  const reader = new ByteReader(data);
  const type = reader.u8();
  const id = reader.u64();
  if (!reader.isComplete || type > 1) return undefined;
  return { type: type === 0 ? 'request' : 'response', id };
}
