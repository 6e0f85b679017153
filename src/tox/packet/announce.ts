/**
 * Announce requests and responses, the payload of onion packets (spec: "Onion module"; c-toxcore: onion_announce.c).
 *
 *     request 0x83 | 0x87   nonce (24) || requester's key (32) || sealed                     177 bytes
 *       sealed              ping id (32) || searched key (32) || data key (32) || sendback u64
 *     response 0x84         sendback u64 || nonce (24) || sealed                             82 bytes and the nodes
 *       sealed              status (1) || ping id or data key (32) || packed nodes, 0 to 4
 *     response 0x88         the same, with one byte for the number of nodes before them
 */
import { ByteReader, ByteWriter } from '../../base/bytes.js';
import { PUBLIC_KEY_SIZE, PublicKey } from '../crypto/keys.js';
import { MAC_SIZE, NONCE_SIZE } from '../crypto/sodium.js';
import { UdpKind } from './kind.js';
import { decodePackedNodes, encodePackedNodes, type NodeInfo } from './node-info.js';

/** The two variants of the packets: c-toxcore's clients send the classic one, and a node answers in the variant of the request. */
export type AnnounceVariant = 'classic' | 'extended';

export const PING_ID_SIZE = 32;
export const MAX_ANNOUNCED_NODES = 4;
const REQUEST_CONTENT_SIZE = PING_ID_SIZE + 2 * PUBLIC_KEY_SIZE + 8;
/** 177 bytes. */
const ANNOUNCE_REQUEST_SIZE = 1 + NONCE_SIZE + PUBLIC_KEY_SIZE + REQUEST_CONTENT_SIZE + MAC_SIZE;
/** Four nodes with IPv6 addresses, and the count of the extended variant. */
const MAX_RESPONSE_CONTENT_SIZE = 1 + PING_ID_SIZE + 1 + MAX_ANNOUNCED_NODES * 51;

const REQUEST_KINDS = { classic: UdpKind.AnnounceRequest, extended: UdpKind.AnnounceRequestExtended } as const;
const RESPONSE_KINDS = { classic: UdpKind.AnnounceResponse, extended: UdpKind.AnnounceResponseExtended } as const;

/** A request, with its content sealed for the receiving node. */
interface SealedAnnounceRequest {
  readonly nonce: Buffer;
  readonly requester: PublicKey;
  readonly sealed: Buffer;
}

export function encodeAnnounceRequest(variant: AnnounceVariant, request: SealedAnnounceRequest): Buffer {
  return new ByteWriter(ANNOUNCE_REQUEST_SIZE)
    .u8(REQUEST_KINDS[variant])
    .bytes(request.nonce)
    .bytes(request.requester.bytes)
    .bytes(request.sealed)
    .finish();
}

/** Decodes a request of exactly 177 bytes; longer extended ones, with data for group chats, are refused. */
export function decodeAnnounceRequest(variant: AnnounceVariant, packet: Buffer): SealedAnnounceRequest | undefined {
  if (packet.length !== ANNOUNCE_REQUEST_SIZE) return undefined;
  const reader = new ByteReader(packet);
  if (reader.u8() !== REQUEST_KINDS[variant]) return undefined;
  const nonce = reader.bytes(NONCE_SIZE);
  const requester = new PublicKey(reader.bytes(PUBLIC_KEY_SIZE));
  return { nonce, requester, sealed: reader.rest() };
}

export interface AnnounceRequest {
  /** Zeros if none is known yet: then the node stores nothing. */
  readonly pingId: Buffer;
  readonly searchedKey: PublicKey;
  /** The key to which others encrypt; zeros in a search. */
  readonly dataKey: PublicKey;
  /** Repeated in the response. */
  readonly sendback: bigint;
}

export function encodeAnnounceRequestContent(content: AnnounceRequest): Buffer {
  return new ByteWriter(REQUEST_CONTENT_SIZE)
    .bytes(content.pingId)
    .bytes(content.searchedKey.bytes)
    .bytes(content.dataKey.bytes)
    .u64(content.sendback)
    .finish();
}

export function decodeAnnounceRequestContent(plain: Buffer): AnnounceRequest | undefined {
  if (plain.length !== REQUEST_CONTENT_SIZE) return undefined;
  const reader = new ByteReader(plain);
  return {
    pingId: reader.bytes(PING_ID_SIZE),
    searchedKey: new PublicKey(reader.bytes(PUBLIC_KEY_SIZE)),
    dataKey: new PublicKey(reader.bytes(PUBLIC_KEY_SIZE)),
    sendback: reader.u64(),
  };
}

interface SealedAnnounceResponse {
  readonly sendback: bigint;
  readonly nonce: Buffer;
  readonly sealed: Buffer;
}

export function encodeAnnounceResponse(variant: AnnounceVariant, response: SealedAnnounceResponse): Buffer {
  return new ByteWriter(1 + 8 + NONCE_SIZE + response.sealed.length)
    .u8(RESPONSE_KINDS[variant])
    .u64(response.sendback)
    .bytes(response.nonce)
    .bytes(response.sealed)
    .finish();
}

export function decodeAnnounceResponse(variant: AnnounceVariant, packet: Buffer): SealedAnnounceResponse | undefined {
  const reader = new ByteReader(packet);
  if (reader.u8() !== RESPONSE_KINDS[variant]) return undefined;
  const sendback = reader.u64();
  const nonce = reader.bytes(NONCE_SIZE);
  const sealed = reader.rest();
  const contentSize = sealed.length - MAC_SIZE;
  if (!reader.ok || contentSize < 1 + PING_ID_SIZE || contentSize > MAX_RESPONSE_CONTENT_SIZE) return undefined;
  return { sendback, nonce, sealed };
}

/** What the node knows about the searched key; the status byte on the wire is 0, 1 or 2. */
export type AnnounceOutcome =
  | { readonly status: 'unknown'; readonly pingId: Buffer }
  | { readonly status: 'found'; readonly dataKey: PublicKey }
  /** The node has stored the requester. */
  | { readonly status: 'announced'; readonly pingId: Buffer };

export interface AnnounceResponse {
  readonly outcome: AnnounceOutcome;
  /** Nodes closer to the searched key. */
  readonly nodes: readonly NodeInfo[];
}

const STATUS = { unknown: 0, found: 1, announced: 2 } as const;

export function encodeAnnounceResponseContent(variant: AnnounceVariant, { outcome, nodes }: AnnounceResponse): Buffer {
  const packed = encodePackedNodes(nodes.map((node) => ({ ...node, transport: 'udp' })));
  const hasCount = variant === 'extended';
  const writer = new ByteWriter(1 + PING_ID_SIZE + (hasCount ? 1 : 0) + packed.length)
    .u8(STATUS[outcome.status])
    .bytes(outcome.status === 'found' ? outcome.dataKey.bytes : outcome.pingId);
  if (hasCount) writer.u8(nodes.length);
  return writer.bytes(packed).finish();
}

export function decodeAnnounceResponseContent(variant: AnnounceVariant, plain: Buffer): AnnounceResponse | undefined {
  const reader = new ByteReader(plain);
  const status = reader.u8();
  const pingIdOrKey = reader.bytes(PING_ID_SIZE);
  const count = variant === 'extended' ? reader.u8() : MAX_ANNOUNCED_NODES;
  if (!reader.ok || count > MAX_ANNOUNCED_NODES) return undefined;
  const outcome = decodeOutcome(status, pingIdOrKey);
  if (outcome === undefined) return undefined;
  // An unreadable node ends the list, as in c-toxcore; the outcome before it remains valid.
  return { outcome, nodes: decodePackedNodes(reader.rest(), count, 'udp').nodes };
}

function decodeOutcome(status: number, pingIdOrKey: Buffer): AnnounceOutcome | undefined {
  switch (status) {
    case STATUS.unknown:
      return { status: 'unknown', pingId: pingIdOrKey };
    case STATUS.found:
      return { status: 'found', dataKey: new PublicKey(pingIdOrKey) };
    case STATUS.announced:
      return { status: 'announced', pingId: pingIdOrKey };
    default:
      return undefined;
  }
}
