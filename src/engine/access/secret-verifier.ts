/** Compares secrets by keyed hashes, in constant time; the secret itself is not kept. */
import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Random } from '../../base/random.js';

/** Bytes. */
const KEY_SIZE = 32;

export class SecretVerifier {
  /** Fresh for each run: a digest that leaks cannot be tried against a dictionary elsewhere. */
  readonly #key: Buffer;
  readonly #expected: Buffer;

  constructor(random: Random, secret: Buffer) {
    this.#key = random.bytes(KEY_SIZE);
    this.#expected = this.digest(secret);
  }

  /** 32 bytes that stand for a candidate, and show nothing of it. */
  digest(candidate: Buffer): Buffer {
    return createHmac('sha256', this.#key).update(candidate).digest();
  }

  matches(candidate: Buffer): boolean {
    return timingSafeEqual(this.digest(candidate), this.#expected);
  }
}
