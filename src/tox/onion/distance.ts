import type { PublicKey } from '../crypto/keys.js';

/** Negative when `a` is closer to `target` than `b` is: XOR, the most significant byte first (spec: "Distance"). */
export function compareDistance(target: PublicKey, a: PublicKey, b: PublicKey): number {
  for (let at = 0; at < target.bytes.length; at += 1) {
    const byte = target.bytes[at] as number;
    const difference = ((a.bytes[at] as number) ^ byte) - ((b.bytes[at] as number) ^ byte);
    if (difference !== 0) return difference;
  }
  return 0;
}
