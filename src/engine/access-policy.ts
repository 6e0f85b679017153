/**
 * Who gets into a server of the classic command. There are two factors, the shared secret and the whitelist of public keys:
 * every one that exists must hold, and where none exists nobody gets in unless the owner opened the door on purpose.
 */
import type { Random } from '../base/random.js';
import { TokenBucket } from '../base/token-bucket.js';
import type { PublicKey } from '../tox/crypto/keys.js';
import { GuessLimiter } from './guess-limiter.js';
import { SecretVerifier } from './secret-verifier.js';

export interface AccessFactors {
  /** Not kept: the policy only keeps a hash. */
  readonly secret: Buffer | undefined;
  /** Empty when there is no whitelist. */
  readonly whitelist: readonly PublicKey[];
  /** Lets in everybody where no factor exists; beside a factor it changes nothing. */
  readonly isInsecureOpen: boolean;
}

export type RefusalReason = 'closed' | 'not-whitelisted' | 'no-secret' | 'wrong-secret' | 'too-many-guesses';

export type AccessDecision =
  | { readonly isAdmitted: true; readonly factors: 'none' | 'secret' | 'whitelist' | 'secret and whitelist' }
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
  readonly #secret: SecretVerifier | undefined;
  readonly #whitelist: ReadonlySet<string>;
  readonly #isInsecureOpen: boolean;
  readonly #guesses = new GuessLimiter();
  readonly #allGuesses = new TokenBucket(TOTAL_GUESS_RATE, TOTAL_GUESS_BURST, 0);

  constructor(deps: { random: Random }, factors: AccessFactors) {
    this.#secret = factors.secret === undefined ? undefined : new SecretVerifier(deps.random, factors.secret);
    this.#whitelist = new Set(factors.whitelist.map((key) => key.hex));
    this.#isInsecureOpen = factors.isInsecureOpen;
  }

  /** True when nobody can get in. */
  get isClosed(): boolean {
    return this.#secret === undefined && this.#whitelist.size === 0 && !this.#isInsecureOpen;
  }

  /** True when everybody who knows the Tox ID gets in. */
  get isOpen(): boolean {
    return this.#secret === undefined && this.#whitelist.size === 0 && this.#isInsecureOpen;
  }

  /**
   * Decides about a friend request.
   * @param message as it came over the network
   * @param now ms of a monotonic clock
   */
  decide(key: PublicKey, message: Buffer, now: number): AccessDecision {
    if (this.isClosed) return refused('closed');
    const isListed = this.#whitelist.has(key.hex);
    // First, so that nobody who is not on the list learns anything about the secret by guessing.
    if (this.#whitelist.size > 0 && !isListed) return refused('not-whitelisted');
    if (this.#secret === undefined) return { isAdmitted: true, factors: isListed ? 'whitelist' : 'none' };
    const fault = this.#checkSecret(this.#secret, key, message, isListed, now);
    if (fault !== undefined) return refused(fault);
    return { isAdmitted: true, factors: isListed ? 'secret and whitelist' : 'secret' };
  }

  #checkSecret(
    secret: SecretVerifier,
    key: PublicKey,
    message: Buffer,
    isListed: boolean,
    now: number,
  ): RefusalReason | undefined {
    // Exact, where upstream compares up to the first zero byte: nothing may hide behind the secret.
    if (message.at(-1) !== 0) return 'no-secret';
    const digest = secret.digest(message.subarray(0, -1));
    const standing = this.#guesses.standing(key.hex, digest, now);
    if (standing === 'blocked') return 'too-many-guesses';
    // A client repeats its request until it is answered: the same words again are no new guess.
    if (standing === 'same-again') return 'wrong-secret';
    if (!isListed && !this.#allGuesses.take(now)) return 'too-many-guesses';
    if (secret.matches(digest)) {
      this.#guesses.forget(key.hex);
      return undefined;
    }
    this.#guesses.onWrong(key.hex, digest, now);
    return 'wrong-secret';
  }
}

const refused = (reason: RefusalReason): AccessDecision => ({ isAdmitted: false, reason });
