/**
 * Tells right secrets from wrong ones by the hashes that are kept. One that was right once in this run, or was set in it, is recognised
 * by a quick hash; and where each valid one is known so, every other is wrong. The slow hash is for the first one after a start.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Random } from '../../base/random.js';
import { quickHash, type SecretHash, type SecretState, slowHash } from './kept-secret.js';
import type { Comparison, SecretCheck } from './secret-check.js';
import type { SlowChecks } from './slow-checks.js';

/** Bytes. */
const KEY_SIZE = 32;

export interface SecretCheckerDeps {
  readonly random: Random;
  readonly slowChecks: SlowChecks;
  readonly state: () => SecretState;
  /** s */
  readonly unixTime: () => number;
}

export class SecretChecker implements SecretCheck {
  readonly #deps: SecretCheckerDeps;
  /** Fresh for each run: a digest that leaks cannot be tried elsewhere. */
  readonly #key: Buffer;
  /** Quick hashes, with that key, of the secrets that match. */
  readonly #known = new WeakMap<SecretHash, Buffer>();

  constructor(deps: SecretCheckerDeps) {
    this.#deps = deps;
    this.#key = deps.random.bytes(KEY_SIZE);
  }

  /** Others after each change, when what was wrong may be right. */
  digest(candidate: Buffer): Buffer {
    return this.#hmac(this.#deps.state().current?.salt ?? Buffer.alloc(0), candidate);
  }

  compare(candidate: Buffer): Comparison {
    // scrypt takes a password and the same one with zero bytes behind it for one; no secret has any.
    if (candidate.includes(0)) return 'wrong';
    let isTold = true;
    let matching: SecretHash | undefined;
    for (const hash of this.#valid) {
      const isMatching = this.#compareQuickly(candidate, hash);
      if (isMatching === undefined) isTold = false;
      else if (isMatching) matching = hash;
    }
    if (matching !== undefined) return matching === this.#deps.state().current ? 'right' : 'right-before';
    return isTold ? 'wrong' : 'unknown';
  }

  async compareSlowly(candidate: Buffer, isTrusted: boolean): Promise<'told' | 'busy'> {
    const check = async (): Promise<'told'> => {
      // All of them, whatever the first one says: the time does not tell which one it was.
      for (const hash of this.#valid) {
        if (this.#compareQuickly(candidate, hash) !== undefined) continue;
        if (timingSafeEqual(await slowHash(candidate, hash.salt), hash.hash)) this.learn(candidate, hash);
      }
      return 'told';
    };
    return (await this.#deps.slowChecks.run(check, isTrusted)) ?? 'busy';
  }

  /** The secret of a hash is known. */
  learn(secret: Buffer, hash: SecretHash): void {
    this.#known.set(hash, this.#hmac(hash.salt, secret));
  }

  get #valid(): readonly SecretHash[] {
    const { current, old } = this.#deps.state();
    const isOldValid = old !== undefined && this.#deps.unixTime() < old.validUntil;
    return [current, isOldValid ? old.hash : undefined].filter((hash) => hash !== undefined);
  }

  /** Undefined where only the slow hash can tell. */
  #compareQuickly(candidate: Buffer, hash: SecretHash): boolean | undefined {
    if (hash.quick !== undefined) return timingSafeEqual(quickHash(candidate, hash.salt), hash.quick);
    const known = this.#known.get(hash);
    return known === undefined ? undefined : timingSafeEqual(this.#hmac(hash.salt, candidate), known);
  }

  #hmac(salt: Buffer, candidate: Buffer): Buffer {
    return createHmac('sha256', this.#key).update(salt).update(candidate).digest();
  }
}
