/** Compares secrets that clients send with the right one, in constant time. */
import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Random } from '../../base/random.js';
import type { SlowChecks } from './slow-checks.js';
import { quickHash, type SecretHash, type SecretState, slowHash } from './stored-secret.js';

/** `right-before`: it is the previous secret, which is still valid. `unknown`: only a slow hash can tell. */
export type Comparison = 'right' | 'right-before' | 'wrong' | 'unknown';

export interface SecretCheck {
  /** Returns 32 bytes that stand for a candidate and do not reveal it. */
  digest(candidate: Buffer): Buffer;
  compare(candidate: Buffer): Comparison;
  /**
   * Checks a candidate that is unknown; afterwards `compare` knows it if it is right. Never rejects.
   * @param isTrusted whether it is checked before those of strangers
   * @returns `busy` when too many checks wait, and nothing is known
   */
  compareSlowly(candidate: Buffer, isTrusted: boolean): Promise<'checked' | 'busy'>;
}

/** Bytes. */
const KEY_SIZE = 32;

/** Compares with a secret that is given at the start, by keyed hashes; the secret itself is not stored. */
export class FixedSecretCheck implements SecretCheck {
  /** New in each run: a digest that leaks cannot be tried against a dictionary elsewhere. */
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
  async compareSlowly(): Promise<'checked'> {
    return 'checked';
  }
}

export interface StoredSecretDeps {
  readonly random: Random;
  readonly slowChecks: SlowChecks;
  readonly state: () => SecretState;
  /** s */
  readonly unixTime: () => number;
}

/**
 * Compares with the hashes that are stored. A secret that was right once in this run, or was set in it, is recognised by a quick
 * hash; where each valid secret is known so, every other candidate is wrong. The first one after a start needs the slow hash.
 */
export class StoredSecretCheck implements SecretCheck {
  readonly #deps: StoredSecretDeps;
  readonly #key: Buffer;
  /** Quick hashes, with that key, of the secrets that match. */
  readonly #known = new WeakMap<SecretHash, Buffer>();

  constructor(deps: StoredSecretDeps) {
    this.#deps = deps;
    this.#key = deps.random.bytes(KEY_SIZE);
  }

  /** Digests differ after each change, because a wrong secret may then be right. */
  digest(candidate: Buffer): Buffer {
    return this.#hmac(this.#deps.state().current?.salt ?? Buffer.alloc(0), candidate);
  }

  compare(candidate: Buffer): Comparison {
    // To scrypt, a password with zero bytes behind it is the same password; no secret has any.
    if (candidate.includes(0)) return 'wrong';
    let isKnown = true;
    let matching: SecretHash | undefined;
    for (const hash of this.#valid) {
      const isMatching = this.#compareQuickly(candidate, hash);
      if (isMatching === undefined) isKnown = false;
      else if (isMatching) matching = hash;
    }
    if (matching !== undefined) return matching === this.#deps.state().current ? 'right' : 'right-before';
    return isKnown ? 'wrong' : 'unknown';
  }

  async compareSlowly(candidate: Buffer, isTrusted: boolean): Promise<'checked' | 'busy'> {
    const check = async (): Promise<'checked'> => {
      // All of them, even if the first one matches: the time does not reveal which one it was.
      for (const hash of this.#valid) {
        if (this.#compareQuickly(candidate, hash) !== undefined) continue;
        if (timingSafeEqual(await slowHash(candidate, hash.salt), hash.hash)) this.learn(candidate, hash);
      }
      return 'checked';
    };
    return (await this.#deps.slowChecks.run(check, isTrusted)) ?? 'busy';
  }

  /** Notes the secret of a hash. */
  learn(secret: Buffer, hash: SecretHash): void {
    this.#known.set(hash, this.#hmac(hash.salt, secret));
  }

  get #valid(): readonly SecretHash[] {
    const { current, old } = this.#deps.state();
    const isOldValid = old !== undefined && this.#deps.unixTime() < old.validUntil;
    return [current, isOldValid ? old.hash : undefined].filter((hash) => hash !== undefined);
  }

  /** Returns undefined where only the slow hash can tell. */
  #compareQuickly(candidate: Buffer, hash: SecretHash): boolean | undefined {
    if (hash.quick !== undefined) return timingSafeEqual(quickHash(candidate, hash.salt), hash.quick);
    const known = this.#known.get(hash);
    return known === undefined ? undefined : timingSafeEqual(this.#hmac(hash.salt, candidate), known);
  }

  #hmac(salt: Buffer, candidate: Buffer): Buffer {
    return createHmac('sha256', this.#key).update(salt).update(candidate).digest();
  }
}
