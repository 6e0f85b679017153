/** The distance of two keys (spec: "Distance"): their XOR as one number of 256 bits, most significant byte first. */
import type { PublicKey } from './keys.js';

/** Returns a number below 0 if `a` is nearer to `target` than `b`, above 0 if it is farther, and 0 if they are equal. */
export function compareDistance(target: PublicKey, a: PublicKey, b: PublicKey): number {
  // A nodes request compares thousands of keys, most of which differ here.
  const byHead = ((a.head ^ target.head) >>> 0) - ((b.head ^ target.head) >>> 0);
  if (byHead !== 0) return byHead;
  for (let at = 4; at < 32; at += 1) {
    const byte = target.bytes[at] as number;
    const difference = ((a.bytes[at] as number) ^ byte) - ((b.bytes[at] as number) ^ byte);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** Returns the number of leading bits that two keys have in common, 0 to 256. */
export function commonBits(a: PublicKey, b: PublicKey): number {
  for (let at = 0; at < 32; at += 1) {
    const difference = (a.bytes[at] as number) ^ (b.bytes[at] as number);
    if (difference !== 0) return at * 8 + Math.clz32(difference) - 24;
  }
  return 256;
}
