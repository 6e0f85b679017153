/**
 * The packets of net_crypto (spec: "Net crypto"), sealed and plain; net-crypto/handshake/handshake and net-crypto/handshake/session-cipher seal them.
 *
 *     cookie request   0x18 || sender's DHT key (32) || nonce (24) || box of 72                             145 bytes
 *       content        sender's real key (32) || zeros (32) || echo u64
 *     cookie response  0x19 || nonce (24) || box of 120                                                     161 bytes
 *       content        cookie (112) || echo u64
 *     cookie           nonce (24) || secret box of (time u64 || real key (32) || DHT key (32))              112 bytes
 *     handshake        0x1a || cookie (112) || nonce (24) || box of 232                                     385 bytes
 *       content        base nonce (24) || session key (32) || SHA-512 of the outer cookie (64) || cookie (112)
 *     data             0x1b || last two bytes of the nonce || secret box                                28 to 1400 bytes
 *       content        buffer start u32 || packet number u32 || zeros (0 or more) || data (1 to 1373)
 *                      between two peers of our kind up to 1472 bytes, with 1 to 1445 of data
 *       half of data   5 || 0 for the first half, 1 for the last || bytes
 */
import { ByteReader, ByteWriter, ownedCopy } from '../../base/bytes.js';
import { PUBLIC_KEY_SIZE, PublicKey } from '../crypto/keys.js';
import { MAC_SIZE, NONCE_SIZE } from '../crypto/sodium.js';
import { CryptoKind, UdpKind } from './kind.js';

const COOKIE_SIZE = 112;
export const COOKIE_REQUEST_SIZE = 145;
export const COOKIE_RESPONSE_SIZE = 161;
export const HANDSHAKE_SIZE = 385;
export const MAX_CRYPTO_PACKET_SIZE = 1400;
const MIN_CRYPTO_DATA_PACKET_SIZE = 28;
/** Most bytes of data in a packet, including the id. */
export const MAX_CRYPTO_DATA_SIZE = 1373;
/** The same between two peers of our kind: a packet of 1,500 bytes of IPv4. */
export const EXTENDED_CRYPTO_PACKET_SIZE = 1472;
export const EXTENDED_CRYPTO_DATA_SIZE = 1445;
/** Most bytes of data that pass on every path: 1,196 bytes of IPv4, 1,216 of IPv6 (RFC 8899, BASE_PLPMTU). */
export const SAFE_CRYPTO_DATA_SIZE = 1141;
/** Bytes of a packet on the wire besides its data: 27 of net_crypto, 8 of UDP, 20 of IPv4. */
export const WIRE_OVERHEAD = 55;

const COOKIE_HASH_SIZE = 64;
const PADDING_QUANTUM = 8;
const HEADER_SIZE = 3;
const PART_HEADER_SIZE = 2;
const CONTENT_HEADER_SIZE = 8;
/** Offset of the content of a data packet, sealed or plain. */
export const DATA_CONTENT_OFFSET = HEADER_SIZE + MAC_SIZE;
/** Offset of the secret box of a data packet. */
export const DATA_BOX_OFFSET = HEADER_SIZE;

export interface CookieRequest {
  readonly dhtKey: PublicKey;
  readonly nonce: Buffer;
  readonly sealed: Buffer;
}

export function encodeCookieRequest({ dhtKey, nonce, sealed }: CookieRequest): Buffer {
  return new ByteWriter(COOKIE_REQUEST_SIZE)
    .u8(UdpKind.CookieRequest)
    .bytes(dhtKey.bytes)
    .bytes(nonce)
    .bytes(sealed)
    .finish();
}

export function decodeCookieRequest(packet: Buffer): CookieRequest | undefined {
  if (packet.length !== COOKIE_REQUEST_SIZE || packet[0] !== UdpKind.CookieRequest) return undefined;
  const reader = new ByteReader(packet);
  reader.skip(1);
  return {
    dhtKey: new PublicKey(reader.bytes(PUBLIC_KEY_SIZE)),
    nonce: reader.bytes(NONCE_SIZE),
    sealed: reader.rest(),
  };
}

export interface CookieRequestContent {
  readonly realKey: PublicKey;
  readonly echo: bigint;
}

export function encodeCookieRequestContent({ realKey, echo }: CookieRequestContent): Buffer {
  return new ByteWriter(72).bytes(realKey.bytes).zeros(PUBLIC_KEY_SIZE).u64(echo).finish();
}

export function decodeCookieRequestContent(plain: Buffer): CookieRequestContent | undefined {
  const reader = new ByteReader(plain);
  const realKey = reader.bytes(PUBLIC_KEY_SIZE);
  reader.skip(PUBLIC_KEY_SIZE);
  const echo = reader.u64();
  return reader.isComplete ? { realKey: new PublicKey(realKey), echo } : undefined;
}

export interface CookieResponse {
  readonly nonce: Buffer;
  readonly sealed: Buffer;
}

export function encodeCookieResponse({ nonce, sealed }: CookieResponse): Buffer {
  return new ByteWriter(COOKIE_RESPONSE_SIZE).u8(UdpKind.CookieResponse).bytes(nonce).bytes(sealed).finish();
}

export function decodeCookieResponse(packet: Buffer): CookieResponse | undefined {
  if (packet.length !== COOKIE_RESPONSE_SIZE || packet[0] !== UdpKind.CookieResponse) return undefined;
  return { nonce: packet.subarray(1, 1 + NONCE_SIZE), sealed: packet.subarray(1 + NONCE_SIZE) };
}

export interface CookieResponseContent {
  readonly cookie: Buffer;
  readonly echo: bigint;
}

export function encodeCookieResponseContent({ cookie, echo }: CookieResponseContent): Buffer {
  return new ByteWriter(COOKIE_SIZE + 8).bytes(cookie).u64(echo).finish();
}

export function decodeCookieResponseContent(plain: Buffer): CookieResponseContent | undefined {
  const reader = new ByteReader(plain);
  const cookie = reader.bytes(COOKIE_SIZE);
  const echo = reader.u64();
  return reader.isComplete ? { cookie, echo } : undefined;
}

export interface CookieContent {
  /** ms of the clock of the peer that made the cookie, which is the only one that can read it. */
  readonly time: number;
  readonly realKey: PublicKey;
  readonly dhtKey: PublicKey;
}

export function encodeCookieContent({ time, realKey, dhtKey }: CookieContent): Buffer {
  return new ByteWriter(72)
    .u64(BigInt(Math.floor(time)))
    .bytes(realKey.bytes)
    .bytes(dhtKey.bytes)
    .finish();
}

export function decodeCookieContent(plain: Buffer): CookieContent | undefined {
  const reader = new ByteReader(plain);
  const time = Number(reader.u64());
  const realKey = reader.bytes(PUBLIC_KEY_SIZE);
  const dhtKey = reader.bytes(PUBLIC_KEY_SIZE);
  return reader.isComplete ? { time, realKey: new PublicKey(realKey), dhtKey: new PublicKey(dhtKey) } : undefined;
}

interface Handshake {
  readonly cookie: Buffer;
  readonly nonce: Buffer;
  readonly sealed: Buffer;
}

export function encodeHandshake({ cookie, nonce, sealed }: Handshake): Buffer {
  return new ByteWriter(HANDSHAKE_SIZE).u8(UdpKind.CryptoHandshake).bytes(cookie).bytes(nonce).bytes(sealed).finish();
}

export function decodeHandshake(packet: Buffer): Handshake | undefined {
  if (packet.length !== HANDSHAKE_SIZE || packet[0] !== UdpKind.CryptoHandshake) return undefined;
  const reader = new ByteReader(packet);
  reader.skip(1);
  return { cookie: reader.bytes(COOKIE_SIZE), nonce: reader.bytes(NONCE_SIZE), sealed: reader.rest() };
}

interface HandshakeContent {
  readonly baseNonce: Buffer;
  readonly sessionKey: PublicKey;
  readonly cookieHash: Buffer;
  readonly cookie: Buffer;
}

export function encodeHandshakeContent({ baseNonce, sessionKey, cookieHash, cookie }: HandshakeContent): Buffer {
  return new ByteWriter(232).bytes(baseNonce).bytes(sessionKey.bytes).bytes(cookieHash).bytes(cookie).finish();
}

export function decodeHandshakeContent(plain: Buffer): HandshakeContent | undefined {
  const reader = new ByteReader(plain);
  const baseNonce = reader.bytes(NONCE_SIZE);
  const sessionKey = reader.bytes(PUBLIC_KEY_SIZE);
  const cookieHash = reader.bytes(COOKIE_HASH_SIZE);
  const cookie = reader.bytes(COOKIE_SIZE);
  if (!reader.isComplete) return undefined;
  return { baseNonce, sessionKey: new PublicKey(sessionKey), cookieHash, cookie };
}

/**
 * Returns the size of a data packet. c-toxcore pads the data, so that the length reveals less; its receiver accepts any padding.
 * @param size least bytes of data and padding
 */
export function dataPacketSize(length: number, size = length): number {
  const least = Math.max(size, length);
  return DATA_CONTENT_OFFSET + CONTENT_HEADER_SIZE + least + ((EXTENDED_CRYPTO_DATA_SIZE - least) % PADDING_QUANTUM);
}

/**
 * Writes a data packet with its plain content at the place of the box, to be sealed in place.
 * @param packet of `dataPacketSize` bytes, filled except for the MAC
 * @param lowNonce the last 16 bits of the nonce
 */
export function layOutData(
  packet: Buffer,
  lowNonce: number,
  bufferStart: number,
  packetNumber: number,
  data: Buffer,
): void {
  const dataAt = packet.length - data.length;
  packet[0] = UdpKind.CryptoData;
  packet.writeUInt16BE(lowNonce, 1);
  packet.writeUInt32BE(bufferStart, DATA_CONTENT_OFFSET);
  packet.writeUInt32BE(packetNumber, DATA_CONTENT_OFFSET + 4);
  for (let at = DATA_CONTENT_OFFSET + CONTENT_HEADER_SIZE; at < dataAt; at += 1) packet[at] = 0;
  packet.set(data, dataAt);
}

/** Returns the last 16 bits of the nonce; undefined if the packet cannot be a data packet. */
export function lowNonceOf(packet: Buffer): number | undefined {
  const { length } = packet;
  if (length < MIN_CRYPTO_DATA_PACKET_SIZE || length > EXTENDED_CRYPTO_PACKET_SIZE) return undefined;
  return packet[0] === UdpKind.CryptoData ? packet.readUInt16BE(1) : undefined;
}

export interface DataContent {
  /** The lowest lossless number that the sender of this packet has not received. */
  readonly bufferStart: number;
  readonly packetNumber: number;
  /** At least one byte, the first of which is the id; a view. */
  readonly data: Buffer;
}

/** Reads a packet that was opened in place. @returns undefined if it contains only padding */
export function decodeOpenedData(packet: Buffer): DataContent | undefined {
  let dataAt = DATA_CONTENT_OFFSET + CONTENT_HEADER_SIZE;
  while (dataAt < packet.length && packet[dataAt] === 0) dataAt += 1;
  if (dataAt === packet.length) return undefined;
  const data = packet.subarray(dataAt);
  // A peer that pads excessively must not make us hold the padding while the data waits.
  const isPaddedTooMuch = dataAt >= DATA_CONTENT_OFFSET + CONTENT_HEADER_SIZE + PADDING_QUANTUM;
  return {
    bufferStart: packet.readUInt32BE(DATA_CONTENT_OFFSET),
    packetNumber: packet.readUInt32BE(DATA_CONTENT_OFFSET + 4),
    data: isPaddedTooMuch ? ownedCopy(data) : data,
  };
}

/** Half of the data of a lossless packet. */
export interface Part {
  readonly isLast: boolean;
  readonly bytes: Buffer;
}

/**
 * Divides the data of a lossless packet in two halves, which have its number. Peers of our kind send halves if the path no longer
 * passes the whole packet.
 * @param data 2 bytes or more
 */
export function encodeParts(data: Buffer): readonly [Buffer, Buffer] {
  const middle = Math.ceil(data.length / 2);
  const encode = (isLast: number, bytes: Buffer): Buffer =>
    Buffer.concat([Buffer.from([CryptoKind.Part, isLast]), bytes]);
  return [encode(0, data.subarray(0, middle)), encode(1, data.subarray(middle))];
}

/** Decodes a half; its bytes are a view. */
export function decodePart(data: Buffer): Part | undefined {
  const isLast = data[1];
  if ((isLast !== 0 && isLast !== 1) || data.length === PART_HEADER_SIZE) return undefined;
  return { isLast: isLast === 1, bytes: data.subarray(PART_HEADER_SIZE) };
}

/** @throws RangeError for data that is too long, or whose id is not in the range */
export function checkCryptoData(data: Buffer, firstId: number, lastId: number): void {
  const id = data[0] ?? -1;
  if (data.length > EXTENDED_CRYPTO_DATA_SIZE || id < firstId || id > lastId) {
    throw new RangeError(`net_crypto: ${data.length} bytes with id ${id}`);
  }
}
