/** Randomness as a parameter: from a seed in a simulated network, otherwise from the operating system. */
import { randomBytes, randomInt } from 'node:crypto';

export interface Random {
  /** Returns a new buffer of `length` random bytes. */
  bytes(length: number): Buffer;
  /** Returns a whole number from 0 to `limit - 1`; `limit` is at most 2^48. */
  below(limit: number): number;
}

export const systemRandom: Random = {
  // Buffer.from(…) of a pooled slice would pin the pool; randomBytes allocates exactly.
  bytes: (length) => randomBytes(length),
  below: (limit) => randomInt(limit),
};

/** Returns a random unsigned 64-bit number that is not 0, for request and ping IDs of Tox. */
export function randomId(random: Random): bigint {
  for (;;) {
    const id = random.bytes(8).readBigUInt64BE();
    if (id !== 0n) return id;
  }
}

/** Returns an element of a list that is not empty. */
export function pick<T>(random: Random, list: readonly T[]): T {
  return list[random.below(list.length)] as T;
}
