/** Compares with a secret that is told at the start, by keyed hashes, in constant time; the secret itself is not kept. */
import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Random } from '../../base/random.js';
import type { SecretCheck } from './secret-check.js';

/** Bytes. */
const KEY_SIZE = 32;

export class SecretVerifier implements SecretCheck {
  /** Fresh for each run: a digest that leaks cannot be tried against a dictionary elsewhere. */
  readonly #key: Buffer;
  readonly #expected: Buffer;

  constructor(random: Random, secret: Buffer) {
    this.#key = random.bytes(KEY_SIZE);
    this.#expected = this.digest(secret);
  }

  digest(candidate: Buffer): Buffer {
    return createHmac('sha256', this.#key).update(candidate).digest();
  }

  compare(candidate: Buffer): 'right' | 'wrong' {
    return timingSafeEqual(this.digest(candidate), this.#expected) ? 'right' : 'wrong';
  }

  /** Never needed. */
  async compareSlowly(): Promise<'told'> {
    return 'told';
  }
}
