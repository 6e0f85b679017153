/**
 * The four packets that lead to a session, in the order in which they are met (spec: "Handshake packet"): sealing and
 * opening only, no state. Whatever does not open gives undefined.
 */
import { open, seal, sha512 } from '../../crypto/box.js';
import { equalsInConstantTime } from '../../crypto/key-pair.js';
import type { PublicKey } from '../../crypto/keys.js';
import {
  type CookieContent,
  type CookieRequestContent,
  type CookieResponseContent,
  decodeCookieRequest,
  decodeCookieRequestContent,
  decodeCookieResponse,
  decodeCookieResponseContent,
  decodeHandshake,
  decodeHandshakeContent,
  encodeCookieRequest,
  encodeCookieRequestContent,
  encodeCookieResponse,
  encodeCookieResponseContent,
  encodeHandshake,
  encodeHandshakeContent,
} from '../../packet/net-crypto.js';

/** @param key shared by our DHT key and the peer's @param dhtKey ours */
export function buildCookieRequest(
  key: Buffer,
  nonce: Buffer,
  dhtKey: PublicKey,
  content: CookieRequestContent,
): Buffer {
  return encodeCookieRequest({ dhtKey, nonce, sealed: seal(key, nonce, encodeCookieRequestContent(content)) });
}

interface OpenedCookieRequest extends CookieRequestContent {
  readonly dhtKey: PublicKey;
}

/** Opens a box that a peer has sealed for one of our keys; undefined when it did not, or may not have the time it takes. */
export type OpenBox = (peer: PublicKey, nonce: Buffer, sealed: Buffer) => Buffer | undefined;

/** @param openBox for our DHT key */
export function openCookieRequest(packet: Buffer, openBox: OpenBox): OpenedCookieRequest | undefined {
  const request = decodeCookieRequest(packet);
  // The top bit of a key has no weight on the curve: flipped in transit, the packet would open and name another peer.
  if (request === undefined || !request.dhtKey.isValid) return undefined;
  const plain = openBox(request.dhtKey, request.nonce, request.sealed);
  const content = plain && decodeCookieRequestContent(plain);
  return content && { ...content, dhtKey: request.dhtKey };
}

/** @param key the one that the request was opened with */
export function buildCookieResponse(key: Buffer, nonce: Buffer, cookie: Buffer, echo: bigint): Buffer {
  return encodeCookieResponse({ nonce, sealed: seal(key, nonce, encodeCookieResponseContent({ cookie, echo })) });
}

/** @returns the cookie, and the echo of the request that it answers */
export function openCookieResponse(packet: Buffer, key: Buffer): CookieResponseContent | undefined {
  const response = decodeCookieResponse(packet);
  const plain = response && open(key, response.nonce, response.sealed);
  return plain && decodeCookieResponseContent(plain);
}

interface HandshakeOffer {
  /** What our data packets are sealed with: this nonce for the first, one more for each. */
  readonly baseNonce: Buffer;
  readonly sessionKey: PublicKey;
  /** A cookie of ours for the peer, so that it can answer at once. */
  readonly cookie: Buffer;
}

/** @param key shared by the two real keys @param peerCookie the cookie that the peer gave us */
export function buildHandshake(key: Buffer, nonce: Buffer, peerCookie: Buffer, offer: HandshakeOffer): Buffer {
  const plain = encodeHandshakeContent({ ...offer, cookieHash: sha512(peerCookie) });
  return encodeHandshake({ cookie: peerCookie, nonce, sealed: seal(key, nonce, plain) });
}

export interface OpenedHandshake extends HandshakeOffer {
  /** The sender, as named by our cookie. */
  readonly realKey: PublicKey;
  readonly dhtKey: PublicKey;
  /** When we made the cookie that it shows, ms of our clock. */
  readonly cookieTime: number;
}

/**
 * @param openCookie reads a cookie of ours that is still good
 * @param openBox for our real key; asked last, as it costs most
 */
export function openHandshake(
  packet: Buffer,
  openCookie: (cookie: Buffer) => CookieContent | undefined,
  openBox: OpenBox,
): OpenedHandshake | undefined {
  const handshake = decodeHandshake(packet);
  if (handshake === undefined) return undefined;
  const peer = openCookie(handshake.cookie);
  if (peer === undefined) return undefined;
  const plain = openBox(peer.realKey, handshake.nonce, handshake.sealed);
  const content = plain && decodeHandshakeContent(plain);
  if (content === undefined || !equalsInConstantTime(content.cookieHash, sha512(handshake.cookie))) return undefined;
  const { baseNonce, sessionKey, cookie } = content;
  return { baseNonce, sessionKey, cookie, realKey: peer.realKey, dhtKey: peer.dhtKey, cookieTime: peer.time };
}
