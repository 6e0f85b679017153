/**
 * Onion packets (spec: "Onion"; c-toxcore: onion.c). All layers of a request have the same nonce, and each has another key.
 *
 *     request 0x80  nonce (24) || sender's DHT key (32)   || sealed layer                              client -> A
 *             0x81  nonce (24) || ephemeral key 2 (32)    || sealed layer || sendback 1 (59)           A -> B
 *             0x82  nonce (24) || ephemeral key 3 (32)    || sealed layer || sendback 2 (118)          B -> C
 *             payload || sendback 3 (177)                                                              C -> D
 *     layer         next hop (19) || inner: key (32) || sealed layer, or at C the payload
 *
 *     response 0x8c sendback 3 (177) || data                                                           D -> C
 *              0x8d sendback 2 (118) || data                                                           C -> B
 *              0x8e sendback 1 (59)  || data                                                           B -> A
 *              data                                                                                    A -> client
 *     sendback      nonce (24) || sealed: previous hop (19) || the sendback before it (0 | 59 | 118)
 */
import { ByteReader, ByteWriter } from '../../base/bytes.js';
import type { Endpoint } from '../../base/endpoint.js';
import { PUBLIC_KEY_SIZE, PublicKey } from '../crypto/keys.js';
import { MAC_SIZE, NONCE_SIZE } from '../crypto/sodium.js';
import { UdpKind } from './kind.js';
import { decodeIpPort, encodeIpPort, IP_PORT_SIZE } from './node-info.js';

/** Hops that a request has passed, which is also its number of nested sendbacks. */
export type OnionLevel = 0 | 1 | 2;
/** Hops that a response still has to pass. */
export type SendbackLevel = 1 | 2 | 3;

/** The longest onion datagram. */
export const MAX_ONION_PACKET_SIZE = 1400;
/** Bytes of a layer besides its content: address, key and MAC. */
const LAYER_SIZE = IP_PORT_SIZE + PUBLIC_KEY_SIZE + MAC_SIZE;
/** Bytes that a hop adds to the sendback. */
const SENDBACK_STEP = NONCE_SIZE + IP_PORT_SIZE + MAC_SIZE;
/** The longest payload of a request: 1174 bytes. */
export const MAX_ONION_PAYLOAD_SIZE = MAX_ONION_PACKET_SIZE - (1 + NONCE_SIZE + 3 * LAYER_SIZE);
/** The longest data of a response: 1222 bytes. */
export const MAX_ONION_RESPONSE_SIZE = MAX_ONION_PACKET_SIZE - (1 + 3 * SENDBACK_STEP);

const REQUEST_KINDS = [UdpKind.OnionRequest0, UdpKind.OnionRequest1, UdpKind.OnionRequest2] as const;
const RESPONSE_KINDS = { 1: UdpKind.OnionResponse1, 2: UdpKind.OnionResponse2, 3: UdpKind.OnionResponse3 } as const;
const PAYLOAD_KINDS: ReadonlySet<number> = new Set([
  UdpKind.AnnounceRequest,
  UdpKind.AnnounceRequestExtended,
  UdpKind.OnionDataRequest,
]);
const ANSWER_KINDS: ReadonlySet<number> = new Set([
  UdpKind.AnnounceResponse,
  UdpKind.AnnounceResponseExtended,
  UdpKind.OnionDataResponse,
]);

/** Returns 59, 118 or 177 bytes; 0 for level 0. */
export function sendbackSize(level: OnionLevel | SendbackLevel): number {
  return level * SENDBACK_STEP;
}

/** A request as a hop receives it. */
export interface OnionRequest {
  readonly nonce: Buffer;
  /** The key whose shared key with the hop opens the layer. */
  readonly publicKey: PublicKey;
  readonly sealedLayer: Buffer;
  /** Empty at level 0. */
  readonly sendback: Buffer;
}

export function encodeOnionRequest(level: OnionLevel, request: OnionRequest): Buffer {
  const { nonce, publicKey, sealedLayer, sendback } = request;
  return new ByteWriter(1 + NONCE_SIZE + PUBLIC_KEY_SIZE + sealedLayer.length + sendbackSize(level))
    .u8(REQUEST_KINDS[level])
    .bytes(nonce)
    .bytes(publicKey.bytes)
    .bytes(sealedLayer)
    .bytes(sendback)
    .finish();
}

export function decodeOnionRequest(level: OnionLevel, packet: Buffer): OnionRequest | undefined {
  if (packet.length > MAX_ONION_PACKET_SIZE) return undefined;
  const layers = 3 - level;
  if (packet.length <= 1 + NONCE_SIZE + layers * LAYER_SIZE + sendbackSize(level)) return undefined;
  const reader = new ByteReader(packet);
  if (reader.u8() !== REQUEST_KINDS[level]) return undefined;
  return {
    nonce: reader.bytes(NONCE_SIZE),
    publicKey: new PublicKey(reader.bytes(PUBLIC_KEY_SIZE)),
    sealedLayer: reader.bytes(reader.remaining - sendbackSize(level)),
    sendback: reader.rest(),
  };
}

/** The content of a layer. */
interface OnionLayer {
  readonly next: Endpoint;
  /** `key || sealed layer` for the next hop, or the payload at the last hop. */
  readonly inner: Buffer;
}

export function encodeOnionLayer({ next, inner }: OnionLayer): Buffer {
  return Buffer.concat([encodeIpPort(next), inner]);
}

export function decodeOnionLayer(level: OnionLevel, plain: Buffer): OnionLayer | undefined {
  const inner = plain.subarray(IP_PORT_SIZE);
  if (level === 2 && !PAYLOAD_KINDS.has(inner[0] ?? -1)) return undefined;
  const next = decodeIpPort(plain.subarray(0, IP_PORT_SIZE));
  return next === undefined ? undefined : { next, inner };
}

/**
 * Encodes the request that a hop of `level` 0 or 1 forwards: kind, nonce and the content of its layer, which begins with the next key.
 * @param sendback the sendback of this hop, one level higher
 */
export function encodeForwardedRequest(level: 0 | 1, nonce: Buffer, inner: Buffer, sendback: Buffer): Buffer {
  return new ByteWriter(1 + NONCE_SIZE + inner.length + sendback.length)
    .u8(REQUEST_KINDS[level === 0 ? 1 : 2])
    .bytes(nonce)
    .bytes(inner)
    .bytes(sendback)
    .finish();
}

/** The packet that arrives at the end of a path. */
interface OnionDelivery {
  readonly payload: Buffer;
  readonly sendback: Buffer;
}

export function encodeOnionDelivery({ payload, sendback }: OnionDelivery): Buffer {
  return Buffer.concat([payload, sendback]);
}

export function decodeOnionDelivery(packet: Buffer): OnionDelivery | undefined {
  const size = packet.length - sendbackSize(3);
  if (size <= 0 || packet.length > MAX_ONION_PACKET_SIZE) return undefined;
  return { payload: packet.subarray(0, size), sendback: packet.subarray(size) };
}

export interface OnionResponse {
  readonly sendback: Buffer;
  readonly data: Buffer;
}

/** @throws RangeError if the data is empty or too long */
export function encodeOnionResponse(level: SendbackLevel, { sendback, data }: OnionResponse): Buffer {
  if (data.length === 0 || data.length > MAX_ONION_RESPONSE_SIZE)
    throw new RangeError('onion response: 1 to 1222 bytes');
  return new ByteWriter(1 + sendbackSize(level) + data.length)
    .u8(RESPONSE_KINDS[level])
    .bytes(sendback)
    .bytes(data)
    .finish();
}

export function decodeOnionResponse(level: SendbackLevel, packet: Buffer): OnionResponse | undefined {
  const reader = new ByteReader(packet);
  if (reader.u8() !== RESPONSE_KINDS[level]) return undefined;
  const sendback = reader.bytes(sendbackSize(level));
  const data = reader.rest();
  if (!reader.ok || data.length > MAX_ONION_RESPONSE_SIZE) return undefined;
  // Hops forward nothing but onion responses.
  return ANSWER_KINDS.has(data[0] ?? -1) ? { sendback, data } : undefined;
}

/** A client of our own TCP relay; the relay uses each number once. */
interface RelayClientId {
  readonly client: bigint;
}

/** The content of a sendback, which a hop seals for itself. */
export interface SendbackContent {
  readonly previous: Endpoint | RelayClientId;
  /** The sendback of the previous hop; empty at the first hop. */
  readonly inner: Buffer;
}

export function encodeSendbackContent({ previous, inner }: SendbackContent): Buffer {
  return Buffer.concat(['client' in previous ? encodeRelayClient(previous) : encodeIpPort(previous), inner]);
}

export function decodeSendbackContent(plain: Buffer): SendbackContent | undefined {
  const address = plain.subarray(0, IP_PORT_SIZE);
  const previous = plain[0] === RELAY_CLIENT ? decodeRelayClient(address) : decodeIpPort(address);
  return previous === undefined ? undefined : { previous, inner: plain.subarray(IP_PORT_SIZE) };
}

/** Used instead of an address family, as in c-toxcore; no other node reads it. */
const RELAY_CLIENT = 11;

function encodeRelayClient({ client }: RelayClientId): Buffer {
  return new ByteWriter(IP_PORT_SIZE).u8(RELAY_CLIENT).zeros(10).u64(client).finish();
}

function decodeRelayClient(bytes: Buffer): RelayClientId | undefined {
  const reader = new ByteReader(bytes);
  reader.skip(11);
  const client = reader.u64();
  return reader.isComplete ? { client } : undefined;
}
