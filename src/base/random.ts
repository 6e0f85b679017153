/** Randomness as a parameter: a simulated network draws from a seed, a real one from the operating system. */
import { randomBytes, randomInt } from 'node:crypto';

export interface Random {
  /** A fresh buffer of `length` random bytes, owned by the caller. */
  bytes(length: number): Buffer;
  /** A whole number from 0 to `limit - 1`; `limit` is at most 2^48. */
  below(limit: number): number;
}

export const systemRandom: Random = {
  // Buffer.from(…) of a pooled slice would pin the pool; randomBytes allocates exactly.
  bytes: (length) => randomBytes(length),
  below: (limit) => randomInt(limit),
};

/** A random unsigned 64-bit number that is never 0, as Tox wants its request and ping ids. */
export function randomId(random: Random): bigint {
  for (;;) {
    const id = random.bytes(8).readBigUInt64BE();
    if (id !== 0n) return id;
  }
}

/** One element of a list that is not empty. */
export function pick<T>(random: Random, list: readonly T[]): T {
  return list[random.below(list.length)] as T;
}
