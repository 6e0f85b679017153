/**
 * Authenticated encryption (spec: "Box"): XSalsa20-Poly1305, the 16-byte MAC in front. NaCl's box with a precomputed key
 * and its secret box are the same construction, so one pair of functions serves both.
 */

import { hsalsa20 } from './hsalsa20.js';
import type { SecretKey } from './key-pair.js';
import type { PublicKey } from './keys.js';
import {
  crypto_auth,
  crypto_hash_sha512,
  crypto_scalarmult,
  crypto_secretbox_easy,
  crypto_secretbox_open_easy,
  MAC_SIZE,
  sodium_memzero,
} from './sodium.js';

/**
 * Returns the key that two key pairs share (NaCl `crypto_box_beforenm`): HSalsa20 of the Curve25519 product. Takes about 50 µs.
 * A public key of small order, which only an attacker sends, gives a key that no other peer has.
 */
export function sharedKey(publicKey: PublicKey, secretKey: SecretKey): Buffer {
  const product = Buffer.alloc(32);
  try {
    crypto_scalarmult(product, secretKey.bytes, publicKey.bytes);
  } catch {
    // libsodium refuses points of small order, but bytes from the network never throw. No other peer can use the key made here.
    secretKey.bytes.copy(product);
  }
  const key = hsalsa20(product);
  sodium_memzero(product);
  return key;
}

/** Seals into a new buffer, which is 16 bytes longer. @throws RangeError for an empty plain text, which Tox does not have */
export function seal(key: Buffer, nonce: Buffer, plain: Buffer): Buffer {
  if (plain.length === 0) throw new RangeError('seal: nothing to seal');
  const out = Buffer.allocUnsafe(plain.length + MAC_SIZE);
  crypto_secretbox_easy(out, plain, nonce, key);
  return out;
}

/** Seals into `out`, which is exactly 16 bytes longer than `plain`; `plain` may be the last part of `out`. For the hot path. */
export function sealInto(out: Buffer, key: Buffer, nonce: Buffer, plain: Buffer): void {
  crypto_secretbox_easy(out, plain, nonce, key);
}

/** Opens into a new buffer; returns undefined if the text is forged, damaged, or has no content. */
export function open(key: Buffer, nonce: Buffer, sealed: Buffer): Buffer | undefined {
  if (sealed.length <= MAC_SIZE) return undefined;
  const out = Buffer.allocUnsafe(sealed.length - MAC_SIZE);
  return crypto_secretbox_open_easy(out, sealed, nonce, key) ? out : undefined;
}

/** Opens into `out`, which is exactly 16 bytes shorter than `sealed`, may be its last part, and stays unchanged on failure. For the hot path. */
export function openInto(out: Buffer, key: Buffer, nonce: Buffer, sealed: Buffer): boolean {
  return crypto_secretbox_open_easy(out, sealed, nonce, key);
}

/** Returns the SHA-512 of the data, 64 bytes. */
export function sha512(data: Buffer): Buffer {
  const out = Buffer.allocUnsafe(64);
  crypto_hash_sha512(out, data);
  return out;
}

/** Returns the HMAC-SHA-512-256 of the data (NaCl `crypto_auth`), 32 bytes. @param key 32 bytes */
export function authenticate(key: Buffer, data: Buffer): Buffer {
  const out = Buffer.allocUnsafe(32);
  crypto_auth(out, data, key);
  return out;
}
