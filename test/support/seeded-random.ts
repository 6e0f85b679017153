/** Repeatable randomness (xoshiro128** by Blackman and Vigna, public domain algorithm), never for real use. */
import type { Random } from '../../src/base/random.js';

const rotate = (value: number, bits: number): number => (value << bits) | (value >>> (32 - bits));

export class SeededRandom implements Random {
  readonly #state = new Uint32Array(4);

  constructor(seed: number) {
    // splitmix32 spreads the seed over the state.
    let x = seed >>> 0;
    for (let at = 0; at < 4; at += 1) {
      x = (x + 0x9e3779b9) >>> 0;
      let z = x;
      z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
      z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
      this.#state[at] = (z ^ (z >>> 15)) >>> 0;
    }
  }

  uint32(): number {
    const s = this.#state as unknown as [number, number, number, number];
    const result = Math.imul(rotate(Math.imul(s[1], 5), 7), 9) >>> 0;
    const t = s[1] << 9;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotate(s[3], 11);
    return result;
  }

  /** From 0 up to, not including, 1. */
  fraction(): number {
    return this.uint32() / 0x1_0000_0000;
  }

  below(limit: number): number {
    return Math.floor(this.fraction() * limit);
  }

  bytes(length: number): Buffer {
    const out = Buffer.allocUnsafeSlow(length);
    for (let at = 0; at < length; at += 1) out[at] = this.uint32() & 0xff;
    return out;
  }
}
