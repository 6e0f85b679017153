/** 24-byte nonces: big-endian counters that wrap (spec: "Nonce"); `sodium_increment` is little-endian. */
import { ownedCopy } from '../../base/bytes.js';

/** Adds `by` (0 to 2^32 - 1) in place. */
export function advanceNonce(nonce: Buffer, by = 1): void {
  let carry = by;
  for (let at = nonce.length - 1; at >= 0 && carry > 0; at -= 1) {
    const sum = (nonce[at] as number) + (carry % 256);
    nonce[at] = sum & 0xff;
    carry = Math.floor(carry / 256) + (sum >> 8);
  }
}

/** Returns a new nonce, `by` after this one. */
export function nonceAfter(nonce: Buffer, by = 1): Buffer {
  const copy = ownedCopy(nonce);
  advanceNonce(copy, by);
  return copy;
}
