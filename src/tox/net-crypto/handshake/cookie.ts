/**
 * Cookies (spec: "Cookie request"): before a handshake, a peer shows that it receives at its address, and we keep no state
 * for it. Only the issuer can read its cookies.
 */
import type { Random } from '../../../base/random.js';
import { open, seal } from '../../crypto/box.js';
import type { PublicKey } from '../../crypto/keys.js';
import { NONCE_SIZE, SHARED_KEY_SIZE } from '../../crypto/sodium.js';
import { type CookieContent, decodeCookieContent, encodeCookieContent } from '../../packet/net-crypto.js';

/** Specification: ms that a cookie is valid. */
const LIFETIME = 15_000;

/** ms that a key seals new cookies; the previous key still opens them. c-toxcore never changes its key. */
const KEY_LIFETIME = 3_600_000;

export class CookieJar {
  readonly #random: Random;
  #key: Buffer;
  #previousKey: Buffer;
  #rotatedAt: number;

  /** @param now ms of the clock that later calls use */
  constructor(random: Random, now: number) {
    this.#random = random;
    this.#key = random.bytes(SHARED_KEY_SIZE);
    this.#previousKey = this.#key;
    this.#rotatedAt = now;
  }

  /** Returns a cookie of 112 bytes for a peer with these keys. */
  issue(realKey: PublicKey, dhtKey: PublicKey, now: number): Buffer {
    if (now - this.#rotatedAt >= KEY_LIFETIME) {
      this.#previousKey = this.#key;
      this.#key = this.#random.bytes(SHARED_KEY_SIZE);
      this.#rotatedAt = now;
    }
    const nonce = this.#random.bytes(NONCE_SIZE);
    return Buffer.concat([nonce, seal(this.#key, nonce, encodeCookieContent({ time: now, realKey, dhtKey }))]);
  }

  /** Returns the content of a cookie; undefined if it is not ours or older than 15 s. */
  open(cookie: Buffer, now: number): CookieContent | undefined {
    const nonce = cookie.subarray(0, NONCE_SIZE);
    const sealed = cookie.subarray(NONCE_SIZE);
    const plain = open(this.#key, nonce, sealed) ?? open(this.#previousKey, nonce, sealed);
    const content = plain && decodeCookieContent(plain);
    if (content === undefined || content.time > now || now - content.time > LIFETIME) return undefined;
    return content;
  }
}
