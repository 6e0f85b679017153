/**
 * The packets between a client and a TCP relay (spec: "TCP server", "TCP client"; c-toxcore: TCP_common.h).
 *
 *     handshake   client's DHT key (32) || nonce (24) || sealed: ephemeral key (32) || base nonce (24)        128 bytes
 *                 nonce (24) || sealed with the same key: ephemeral key (32) || base nonce (24)                96 bytes
 *     frame       length u16 || sealed: packet                                     the length counts what follows it
 *
 *     packet  0   key (32)                        routing request for a peer
 *             1   slot (1) || key (32)            routing response; a slot below 16 refuses
 *             2   slot (1)                        the peer is connected, and has requested us, too
 *             3   slot (1)                        the peer is disconnected; from a client: the slot is free
 *             4   id u64                          ping; 5 is the pong
 *             6   key (32) || data (1 … 1024)     out-of-band data to the client with that key; 7 is received, with the sender's key
 *             8   nonce (24) || key (32) || …     onion request without its first layer; 9 is a response
 *        16 … 255 data                            to or from the peer of that slot
 */
import { ByteReader, ByteWriter } from '../../base/bytes.js';
import { PUBLIC_KEY_SIZE, PublicKey } from '../crypto/keys.js';
import { MAC_SIZE, NONCE_SIZE } from '../crypto/sodium.js';
import { RelayKind } from './kind.js';
import { IP_PORT_SIZE } from './node-info.js';

const HANDSHAKE_CONTENT_SIZE = PUBLIC_KEY_SIZE + NONCE_SIZE;
export const RELAY_REPLY_SIZE = NONCE_SIZE + HANDSHAKE_CONTENT_SIZE + MAC_SIZE;
export const RELAY_GREETING_SIZE = PUBLIC_KEY_SIZE + RELAY_REPLY_SIZE;
/** The sealed part of a frame; c-toxcore ends a connection that announces more. */
export const MAX_RELAY_FRAME_SIZE = 2048;
export const MAX_RELAY_PACKET_SIZE = MAX_RELAY_FRAME_SIZE - MAC_SIZE;
export const MAX_OOB_SIZE = 1024;
/** Most peers of a client at one relay. */
export const RELAY_SLOTS = RelayKind.LastSlot - RelayKind.FirstSlot + 1;
/** Least overhead of an onion request: two layers of address, key and MAC, of which the first has no address. */
const MIN_ONION_REQUEST_SIZE = NONCE_SIZE + 2 * (IP_PORT_SIZE + PUBLIC_KEY_SIZE + MAC_SIZE);

/** The handshake of the client. */
interface RelayGreeting {
  readonly publicKey: PublicKey;
  readonly nonce: Buffer;
  readonly sealed: Buffer;
}

export function encodeRelayGreeting({ publicKey, nonce, sealed }: RelayGreeting): Buffer {
  return new ByteWriter(RELAY_GREETING_SIZE).bytes(publicKey.bytes).bytes(nonce).bytes(sealed).finish();
}

export function decodeRelayGreeting(bytes: Buffer): RelayGreeting | undefined {
  if (bytes.length !== RELAY_GREETING_SIZE) return undefined;
  const reader = new ByteReader(bytes);
  const publicKey = new PublicKey(reader.bytes(PUBLIC_KEY_SIZE));
  return { publicKey, nonce: reader.bytes(NONCE_SIZE), sealed: reader.rest() };
}

/** The handshake of the relay. */
interface RelayReply {
  readonly nonce: Buffer;
  readonly sealed: Buffer;
}

export function encodeRelayReply({ nonce, sealed }: RelayReply): Buffer {
  return new ByteWriter(RELAY_REPLY_SIZE).bytes(nonce).bytes(sealed).finish();
}

export function decodeRelayReply(bytes: Buffer): RelayReply | undefined {
  if (bytes.length !== RELAY_REPLY_SIZE) return undefined;
  return { nonce: bytes.subarray(0, NONCE_SIZE), sealed: bytes.subarray(NONCE_SIZE) };
}

/** The sealed content of both handshakes. */
interface RelayHandshakeContent {
  readonly ephemeralKey: PublicKey;
  /** The nonce of the sender's first packet; it counts up with each packet. */
  readonly baseNonce: Buffer;
}

export function encodeRelayHandshakeContent({ ephemeralKey, baseNonce }: RelayHandshakeContent): Buffer {
  return new ByteWriter(HANDSHAKE_CONTENT_SIZE).bytes(ephemeralKey.bytes).bytes(baseNonce).finish();
}

export function decodeRelayHandshakeContent(plain: Buffer): RelayHandshakeContent | undefined {
  if (plain.length !== HANDSHAKE_CONTENT_SIZE) return undefined;
  const ephemeralKey = new PublicKey(plain.subarray(0, PUBLIC_KEY_SIZE));
  return { ephemeralKey, baseNonce: plain.subarray(PUBLIC_KEY_SIZE) };
}

export type RelayPacket =
  | { readonly kind: 'routing request'; readonly publicKey: PublicKey }
  /** `slot` is undefined if the relay refuses. */
  | { readonly kind: 'routing response'; readonly slot: number | undefined; readonly publicKey: PublicKey }
  | { readonly kind: 'connected' | 'disconnected'; readonly slot: number }
  | { readonly kind: 'ping' | 'pong'; readonly id: bigint }
  /** `publicKey` is the receiver's in packets from a client, and the sender's in packets to a client. */
  | { readonly kind: 'oob send' | 'oob receive'; readonly publicKey: PublicKey; readonly data: Buffer }
  /** `data` begins with the nonce. */
  | { readonly kind: 'onion request' | 'onion response'; readonly data: Buffer }
  | { readonly kind: 'data'; readonly slot: number; readonly data: Buffer };

/** @throws RangeError for data or a slot beyond the limits */
export function encodeRelayPacket(packet: RelayPacket): Buffer {
  switch (packet.kind) {
    case 'routing request':
      return new ByteWriter(33).u8(RelayKind.RoutingRequest).bytes(packet.publicKey.bytes).finish();
    case 'routing response':
      return new ByteWriter(34)
        .u8(RelayKind.RoutingResponse)
        .u8(packet.slot ?? 0)
        .bytes(packet.publicKey.bytes)
        .finish();
    case 'connected':
      return Buffer.from([RelayKind.ConnectNotification, packet.slot]);
    case 'disconnected':
      return Buffer.from([RelayKind.DisconnectNotification, packet.slot]);
    case 'ping':
      return new ByteWriter(9).u8(RelayKind.Ping).u64(packet.id).finish();
    case 'pong':
      return new ByteWriter(9).u8(RelayKind.Pong).u64(packet.id).finish();
    case 'oob send':
    case 'oob receive':
      if (packet.data.length === 0 || packet.data.length > MAX_OOB_SIZE) throw new RangeError('oob: 1 to 1024 bytes');
      return new ByteWriter(1 + PUBLIC_KEY_SIZE + packet.data.length)
        .u8(packet.kind === 'oob send' ? RelayKind.OobSend : RelayKind.OobReceive)
        .bytes(packet.publicKey.bytes)
        .bytes(packet.data)
        .finish();
    case 'onion request':
      return withKind(RelayKind.OnionRequest, packet.data);
    case 'onion response':
      return withKind(RelayKind.OnionResponse, packet.data);
    case 'data':
      return withKind(packet.slot, packet.data);
  }
}

/** Encodes a kind and data without a ByteWriter, since this is the hot path of relayed data. */
function withKind(kind: number, data: Buffer): Buffer {
  if (data.length >= MAX_RELAY_PACKET_SIZE) throw new RangeError('relay packet: at most 2032 bytes');
  const out = Buffer.allocUnsafe(1 + data.length);
  out[0] = kind;
  data.copy(out, 1);
  return out;
}

/** Returns undefined for a packet at which c-toxcore ends the connection, and 'ignored' for a kind that we do not need. */
export function decodeRelayPacket(plain: Buffer): RelayPacket | 'ignored' | undefined {
  const kind = plain[0] ?? -1;
  if (kind >= RelayKind.FirstSlot)
    return plain.length > 1 ? { kind: 'data', slot: kind, data: plain.subarray(1) } : undefined;
  const reader = new ByteReader(plain.subarray(1));
  switch (kind) {
    case RelayKind.RoutingRequest: {
      const key = reader.bytes(PUBLIC_KEY_SIZE);
      return reader.isComplete ? { kind: 'routing request', publicKey: new PublicKey(key) } : undefined;
    }
    case RelayKind.RoutingResponse: {
      const slot = reader.u8();
      const key = reader.bytes(PUBLIC_KEY_SIZE);
      if (!reader.isComplete) return undefined;
      const isSlot = slot >= RelayKind.FirstSlot;
      return { kind: 'routing response', slot: isSlot ? slot : undefined, publicKey: new PublicKey(key) };
    }
    case RelayKind.ConnectNotification:
    case RelayKind.DisconnectNotification: {
      const slot = reader.u8();
      if (!reader.isComplete || slot < RelayKind.FirstSlot) return undefined;
      return { kind: kind === RelayKind.ConnectNotification ? 'connected' : 'disconnected', slot };
    }
    case RelayKind.Ping:
    case RelayKind.Pong: {
      const id = reader.u64();
      if (!reader.isComplete) return undefined;
      return { kind: kind === RelayKind.Ping ? 'ping' : 'pong', id };
    }
    case RelayKind.OobSend:
    case RelayKind.OobReceive: {
      const key = reader.bytes(PUBLIC_KEY_SIZE);
      const data = reader.rest();
      if (!reader.ok || data.length === 0 || data.length > MAX_OOB_SIZE) return undefined;
      return {
        kind: kind === RelayKind.OobSend ? 'oob send' : 'oob receive',
        publicKey: new PublicKey(key),
        data,
      };
    }
    case RelayKind.OnionRequest:
      return reader.remaining > MIN_ONION_REQUEST_SIZE ? { kind: 'onion request', data: reader.rest() } : undefined;
    case RelayKind.OnionResponse:
      return reader.remaining > 0 ? { kind: 'onion response', data: reader.rest() } : undefined;
    case RelayKind.ForwardRequest:
    case RelayKind.Forwarding:
      return 'ignored';
    default:
      // An empty packet, or 12 to 15, which c-toxcore refuses, too.
      return undefined;
  }
}
