/**
 * Who gets into a server. There are two factors, the shared secret and the whitelist of public keys: every one that exists
 * must hold, or where the owner says so one of them; and where none exists nobody gets in unless the door was opened on purpose.
 */
import { TokenBucket } from '../../base/token-bucket.js';
import type { PublicKey } from '../../tox/crypto/keys.js';
import type { AccessFactors } from './access-factors.js';
import { GuessLimiter } from './guess-limiter.js';
import type { SecretCheck } from './secret-check.js';

/** `expired`: it was on the whitelist until its time ran out. */
export type RefusalReason =
  | 'banned'
  | 'closed'
  | 'not-whitelisted'
  | 'expired'
  | 'no-secret'
  | 'wrong-secret'
  | 'too-many-guesses';

/** Why one who was let in may not stay. */
export type LeaveReason = Exclude<RefusalReason, 'wrong-secret' | 'too-many-guesses'> | 'secret-changed';

/** By what somebody came in. */
export type AdmittedBy = 'none' | 'secret' | 'whitelist' | 'secret and whitelist';

export type AccessDecision =
  | { readonly isAdmitted: true; readonly factors: AdmittedBy }
  | { readonly isAdmitted: false; readonly reason: RefusalReason };

/** A friend request. */
interface Request {
  readonly publicKey: PublicKey;
  /** As it came over the network. */
  readonly message: Buffer;
}

/** What is known before the secret is looked at. */
interface Asking {
  readonly key: PublicKey;
  readonly isListed: boolean;
  readonly secret: SecretCheck;
  readonly candidate: Buffer;
}

/** What a client without a secret sends: upstream's eight bytes, which its own servers have always seen. */
const NO_SECRET_MESSAGE = Buffer.from('Hi, fell', 'latin1');

/**
 * Implementation: slow checks a second of all unknown keys together, and at once, which are an eighth of a core: keys cost nothing, so
 * that a limit for each is not enough. Keys that are listed, or have come with the present secret before, have as much of their own.
 */
const SLOW_CHECKS = 20;

/** The friend request of a client: the secret and a zero byte, as upstream has it. */
export function friendRequestMessage(secret: Buffer | undefined): Buffer {
  return secret === undefined ? NO_SECRET_MESSAGE : Buffer.concat([secret, Buffer.alloc(1)]);
}

/** The zero byte may be missing, for a Tox messenger sends none. */
function secretIn(message: Buffer): Buffer | undefined {
  if (message.at(-1) === 0) return message.subarray(0, -1);
  return message.length === 0 || message.equals(NO_SECRET_MESSAGE) ? undefined : message;
}

export class AccessPolicy {
  readonly #factors: AccessFactors;
  readonly #onWrongSecret: (key: PublicKey, count: number) => void;
  readonly #guesses = new GuessLimiter();
  readonly #slowOfStrangers = new TokenBucket(SLOW_CHECKS, SLOW_CHECKS, 0);
  readonly #slowOfTrusted = new TokenBucket(SLOW_CHECKS, SLOW_CHECKS, 0);

  /** @param onWrongSecret a wrong one came of a key that never had the present one; `count` different ones of that key so far */
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
   * @param now ms of a monotonic clock
   * @param onDecided called once: before this returns, or later when a slow check is needed
   */
  decide(request: Request, now: number, onDecided: (decision: AccessDecision) => void): void {
    const asking = this.#judge(request);
    if ('isAdmitted' in asking) onDecided(asking);
    else
      this.#decideBySecret(asking, now, (reason) => {
        // What else decides may have changed during a slow check.
        const again = this.#judge(request);
        if ('isAdmitted' in again) onDecided(again);
        else if (again.secret !== asking.secret) onDecided(refused('too-many-guesses'));
        else
          onDecided(
            reason === undefined ? admitted(again.isListed ? 'secret and whitelist' : 'secret') : refused(reason),
          );
      });
  }

  /** By all but the secret, or what there is to be known of it. */
  #judge({ publicKey: key, message }: Request): AccessDecision | Asking {
    const { secret, hasWhitelist, require } = this.#factors;
    if (this.#factors.isBanned(key)) return refused('banned');
    if (this.#hasNoFactor) return this.isOpen ? admitted('none') : refused('closed');
    const isListed = hasWhitelist && this.#factors.isListed(key);
    if (isListed && (require === 'any' || secret === undefined)) return admitted('whitelist');
    // First, so that nobody who is not on the list learns anything about the secret by guessing.
    if (secret === undefined || (hasWhitelist && !isListed && require === 'all')) return refused(this.#unlisted(key));
    const candidate = secretIn(message);
    return candidate === undefined ? refused('no-secret') : { key, isListed, secret, candidate };
  }

  /**
   * Whether somebody who was let in may stay, now that the factors may have changed.
   * @param isSecretStale whether the secret by which it came in counts no more
   * @returns why not; undefined when it may
   */
  reasonToLeave(key: PublicKey, by: AdmittedBy, isSecretStale: boolean): LeaveReason | undefined {
    const { secret, hasWhitelist, require } = this.#factors;
    if (this.#factors.isBanned(key)) return 'banned';
    if (this.#hasNoFactor) return this.isOpen ? undefined : 'closed';
    const isListed = hasWhitelist && this.#factors.isListed(key);
    const bySecret = by.startsWith('secret');
    const hasSecret = secret !== undefined && bySecret && !isSecretStale;
    if (require === 'any' && (isListed || hasSecret)) return undefined;
    if (require === 'all' && (isListed || !hasWhitelist)) {
      if (hasSecret || secret === undefined || (isListed && !isSecretStale)) return undefined;
      return by === 'none' ? 'no-secret' : 'secret-changed';
    }
    return bySecret && require === 'any' ? 'secret-changed' : this.#unlisted(key);
  }

  #unlisted(key: PublicKey): 'expired' | 'not-whitelisted' {
    return this.#factors.hasWhitelist && this.#factors.hasExpired(key) ? 'expired' : 'not-whitelisted';
  }

  /** @param onChecked why it is refused; undefined when the secret is right */
  #decideBySecret(asking: Asking, now: number, onChecked: (reason: RefusalReason | undefined) => void): void {
    const { key, secret, candidate } = asking;
    const standing = this.#guesses.standing(key.hex, secret.digest(candidate), now);
    const isProven = this.#factors.hasProven(key);
    // One that had the secret once can guess as well: for that it waits behind the others, as a stranger.
    const isTrusted = asking.isListed || (isProven && standing === 'fresh');
    // Others may send again what this key said once, so that wrong secrets keep out none that had the right one.
    if (standing === 'blocked' && !isProven) onChecked('too-many-guesses');
    else if (standing === 'same-again') onChecked('wrong-secret');
    else if (secret.compare(candidate) !== 'unknown') onChecked(this.#checkNow(asking, now));
    else if (!this.#mayCheckSlowly(isTrusted, now)) onChecked('too-many-guesses');
    else
      secret
        .compareSlowly(candidate, isTrusted)
        .then((result) => onChecked(result === 'busy' ? 'too-many-guesses' : this.#checkNow(asking, now)));
  }

  #mayCheckSlowly(isTrusted: boolean, now: number): boolean {
    return (isTrusted ? this.#slowOfTrusted : this.#slowOfStrangers).take(now);
  }

  /** What is unknown after a slow check is wrong. */
  #checkNow({ key, secret, candidate }: Asking, now: number): RefusalReason | undefined {
    const comparison = secret.compare(candidate);
    if (comparison === 'right') this.#factors.noteProven(key);
    if (comparison === 'right' || comparison === 'right-before') {
      this.#guesses.forget(key.hex);
      return undefined;
    }
    const digest = secret.digest(candidate);
    // It may have come twice before it was looked at.
    if (this.#guesses.standing(key.hex, digest, now) === 'same-again') return 'wrong-secret';
    const count = this.#guesses.onWrong(key.hex, digest, now);
    if (!this.#factors.hasProven(key)) this.#onWrongSecret(key, count);
    return 'wrong-secret';
  }
}

const refused = (reason: RefusalReason): AccessDecision => ({ isAdmitted: false, reason });
const admitted = (factors: AdmittedBy): AccessDecision => ({ isAdmitted: true, factors });

/** Returns the policy after a change of some factors, to tell the owner what it would do before it is done. */
export function withOverrides(factors: AccessFactors, changes: Partial<AccessFactors>): AccessPolicy {
  return new AccessPolicy({
    secret: factors.secret,
    secretGeneration: factors.secretGeneration,
    hasWhitelist: factors.hasWhitelist,
    isListed: (key) => factors.isListed(key),
    hasExpired: (key) => factors.hasExpired(key),
    isBanned: (key) => factors.isBanned(key),
    hasProven: (key) => factors.hasProven(key),
    noteProven: (key) => factors.noteProven(key),
    require: factors.require,
    isOpen: factors.isOpen,
    ...changes,
  });
}
