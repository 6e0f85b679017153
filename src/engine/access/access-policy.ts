/**
 * Who gets into a server. There are two factors, the shared secret and the whitelist of public keys: every one that exists
 * must hold, or where the owner says so one of them; and where none exists nobody gets in unless the door was opened on purpose.
 */
import { TokenBucket } from '../../base/token-bucket.js';
import type { PublicKey } from '../../tox/crypto/keys.js';
import type { AccessFactors, SecretCheck } from './access-factors.js';
import { GuessLimiter } from './guess-limiter.js';

export type RefusalReason = 'banned' | 'closed' | 'not-whitelisted' | 'no-secret' | 'wrong-secret' | 'too-many-guesses';

/** By what somebody came in. */
export type AdmittedBy = 'none' | 'secret' | 'whitelist' | 'secret and whitelist';

export type AccessDecision =
  | { readonly isAdmitted: true; readonly factors: AdmittedBy }
  | { readonly isAdmitted: false; readonly reason: RefusalReason };

/** What a client without a secret sends: upstream's eight bytes, which its own servers have always seen. */
const NO_SECRET_MESSAGE = Buffer.from('Hi, fell', 'latin1');

/** Guesses a second from all unknown keys together: keys cost nothing, so that a limit for each is not enough. */
const TOTAL_GUESS_RATE = 20;
const TOTAL_GUESS_BURST = 200;

/** The friend request of a client: the secret and a zero byte, as upstream has it. */
export function friendRequestMessage(secret: Buffer | undefined): Buffer {
  return secret === undefined ? NO_SECRET_MESSAGE : Buffer.concat([secret, Buffer.alloc(1)]);
}

export class AccessPolicy {
  readonly #factors: AccessFactors;
  readonly #onWrongSecret: (key: PublicKey, count: number) => void;
  readonly #guesses = new GuessLimiter();
  readonly #allGuesses = new TokenBucket(TOTAL_GUESS_RATE, TOTAL_GUESS_BURST, 0);

  /** @param onWrongSecret a wrong one came; `count` different ones of that key so far */
  constructor(factors: AccessFactors, onWrongSecret: (key: PublicKey, count: number) => void = () => {}) {
    this.#factors = factors;
    this.#onWrongSecret = onWrongSecret;
  }

  /** True when nobody can get in, for want of any factor. */
  get isClosed(): boolean {
    return this.#hasNoFactor && !this.#factors.isOpen;
  }

  /** True when everybody who knows the Tox ID gets in. */
  get isOpen(): boolean {
    return this.#hasNoFactor && this.#factors.isOpen;
  }

  get secretGeneration(): number {
    return this.#factors.secretGeneration;
  }

  get #hasNoFactor(): boolean {
    return this.#factors.secret === undefined && !this.#factors.hasWhitelist;
  }

  /**
   * Decides about a friend request.
   * @param message as it came over the network
   * @param now ms of a monotonic clock
   */
  decide(key: PublicKey, message: Buffer, now: number): AccessDecision {
    const { secret, hasWhitelist, require } = this.#factors;
    if (this.#factors.isBanned(key)) return refused('banned');
    if (this.#hasNoFactor) return this.isOpen ? admitted('none') : refused('closed');
    const isListed = hasWhitelist && this.#factors.isListed(key);
    if (isListed && (require === 'any' || secret === undefined)) return admitted('whitelist');
    // First, so that nobody who is not on the list learns anything about the secret by guessing.
    if (hasWhitelist && !isListed && (require === 'all' || secret === undefined)) return refused('not-whitelisted');
    const fault = this.#checkSecret(secret as SecretCheck, key, message, isListed, now);
    if (fault !== undefined) return refused(fault);
    return admitted(isListed ? 'secret and whitelist' : 'secret');
  }

  /**
   * Whether somebody who was let in may stay, now that the factors may have changed.
   * @param isSecretStale whether the secret by which it came in counts no more
   */
  mayStay(key: PublicKey, by: AdmittedBy, isSecretStale: boolean): boolean {
    const { secret, hasWhitelist, require } = this.#factors;
    if (this.#factors.isBanned(key)) return false;
    if (this.#hasNoFactor) return this.isOpen;
    const isListed = hasWhitelist && this.#factors.isListed(key);
    const hasSecret = secret !== undefined && by.startsWith('secret') && !isSecretStale;
    if (require === 'any') return isListed || hasSecret;
    return (isListed || !hasWhitelist) && (hasSecret || secret === undefined || (isListed && !isSecretStale));
  }

  #checkSecret(
    secret: SecretCheck,
    key: PublicKey,
    message: Buffer,
    isListed: boolean,
    now: number,
  ): RefusalReason | undefined {
    // Exact, where upstream compares up to the first zero byte: nothing may hide behind the secret.
    if (message.at(-1) !== 0) return 'no-secret';
    const candidate = message.subarray(0, -1);
    const digest = secret.digest(candidate);
    const standing = this.#guesses.standing(key.hex, digest, now);
    if (standing === 'blocked') return 'too-many-guesses';
    // A client repeats its request until it is answered: the same words again are no new guess.
    if (standing === 'same-again') return 'wrong-secret';
    if (!isListed && !this.#allGuesses.take(now)) return 'too-many-guesses';
    if (secret.matches(candidate)) {
      this.#guesses.forget(key.hex);
      return undefined;
    }
    this.#onWrongSecret(key, this.#guesses.onWrong(key.hex, digest, now));
    return 'wrong-secret';
  }
}

const refused = (reason: RefusalReason): AccessDecision => ({ isAdmitted: false, reason });
const admitted = (factors: AdmittedBy): AccessDecision => ({ isAdmitted: true, factors });
