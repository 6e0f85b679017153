/**
 * Decides which clients a server admits. There are two factors, the shared secret and the whitelist of public keys. A client needs
 * all that exist, or one of them if the owner chose that; where none exists, no client is admitted unless the server is open. An
 * invitation is something else: the client that redeems it is admitted by its key alone from then on.
 */
import { TokenBucket } from '../../base/token-bucket.js';
import type { PublicKey } from '../../tox/crypto/keys.js';
import type { AccessFactors, InvitationStanding } from './access-factors.js';
import { GuessLimiter } from './guess-limiter.js';
import type { SecretCheck } from './secret-check.js';

/** `expired`: its entry on the whitelist has expired. `not-saved`: the disk did not take the redemption of its invitation. */
export type RefusalReason =
  | LateReason
  | 'not-saved'
  | 'banned'
  | 'closed'
  | 'not-whitelisted'
  | 'expired'
  | 'no-secret'
  | 'wrong-secret'
  | 'used-up'
  | 'too-many-guesses';

type LateReason = 'invitation-used' | 'invitation-expired' | 'invitation-revoked';

/** Why an admitted client is disconnected. */
export type LeaveReason = 'banned' | 'closed' | 'not-whitelisted' | 'expired' | 'no-secret' | 'secret-changed';

/** The factors by which a client was admitted. */
export type AdmittedBy = 'none' | 'secret' | 'whitelist' | 'secret and whitelist';

export type AccessDecision =
  | { readonly isAdmitted: true; readonly factors: AdmittedBy }
  | {
      readonly isAdmitted: false;
      readonly reason: RefusalReason;
      /** The invitation whose secret it sent. */
      readonly invitation?: string;
    };

/** A friend request. */
interface Request {
  readonly publicKey: PublicKey;
  /** As received. */
  readonly message: Buffer;
}

/** A request whose secret has to be checked. */
interface SecretRequest {
  readonly key: PublicKey;
  readonly isListed: boolean;
  readonly secret: SecretCheck;
  readonly candidate: Buffer;
}

/** The message of a client without a secret: eight bytes, as upstream sends them. */
const NO_SECRET_MESSAGE = Buffer.from('Hi, fell', 'latin1');

/**
 * Slow checks per second, and at once, of all unknown keys together, an eighth of a core: keys cost nothing, so a limit for each is
 * not enough. Keys that are listed or have sent the present secret before share a second budget of the same size.
 */
const SLOW_CHECKS = 20;

/** Returns the message of a client's friend request: the secret and a zero byte, as upstream has it. */
export function friendRequestMessage(secret: Buffer | undefined): Buffer {
  return secret === undefined ? NO_SECRET_MESSAGE : Buffer.concat([secret, Buffer.alloc(1)]);
}

/** Whether a client sent a secret, right or wrong. @param message of its friend request */
export const hasSecret = (message: Buffer): boolean => secretIn(message) !== undefined;

/** A Tox messenger does not send the zero byte. */
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

  /** @param onWrongSecret a key that never sent the present secret has sent a wrong one, `count` different ones so far */
  constructor(factors: AccessFactors, onWrongSecret: (key: PublicKey, count: number) => void = () => {}) {
    this.#factors = factors;
    this.#onWrongSecret = onWrongSecret;
  }

  /** Whether no client can be admitted, because there is neither a factor nor an invitation. */
  get isClosed(): boolean {
    return this.#hasNoFactor && !this.#factors.isOpen && this.#factors.invitations?.admitsAny !== true;
  }

  /** Whether every client that knows the Tox ID is admitted. */
  get isOpen(): boolean {
    return this.#hasNoFactor && this.#factors.isOpen;
  }

  get secretGeneration(): number {
    return this.#factors.secretGeneration;
  }

  /** Whether a stranger cannot make this key: it is on the whitelist, or has sent the present secret. */
  isKnown(key: PublicKey): boolean {
    const isListed = this.#factors.listing(key) !== 'none';
    return isListed || (this.#factors.secret !== undefined && this.#factors.hasProven(key));
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
    const pending = this.#judge(request);
    const found = this.#invitationFor(request, pending, now);
    if (typeof found === 'object' && found.state === 'open') this.#redeem(request, found, now, onDecided);
    else if (typeof found === 'object') onDecided(this.#judgeLate(request, found));
    else if (found !== undefined) onDecided(refused(found));
    else if ('isAdmitted' in pending) onDecided(pending);
    else
      this.#decideBySecret(pending, now, (reason) => {
        // The factors may have changed during a slow check.
        const again = this.#judge(request);
        if ('isAdmitted' in again) onDecided(again);
        else if (again.secret !== pending.secret) onDecided(refused('too-many-guesses'));
        else
          onDecided(
            reason === undefined ? admitted(again.isListed ? 'secret and whitelist' : 'secret') : refused(reason),
          );
      });
  }

  /**
   * Finds the invitation whose secret a client sent, unless it needs none.
   * @returns the reason for a refusal when the secret is wrong; undefined when it has nothing to do with invitations
   */
  #invitationFor(
    { publicKey: key, message }: Request,
    judged: AccessDecision | SecretRequest,
    now: number,
  ): InvitationStanding | 'wrong-secret' | 'too-many-guesses' | undefined {
    const { invitations, secret } = this.#factors;
    const candidate = secretIn(message);
    if (invitations === undefined || candidate === undefined || this.#factors.isBanned(key)) return undefined;
    const isAdmitted = 'isAdmitted' in judged && judged.isAdmitted;
    // What its owner wrote for this key by hand is neither widened nor narrowed.
    if (isAdmitted && this.#factors.listing(key) === 'listed') return undefined;
    const digest = (secret ?? invitations).digest(candidate);
    const found = invitations.find(key, candidate);
    if (found === undefined) return undefined;
    const isBlocked = this.#guesses.standing(key.hex, digest, now) === 'blocked' && !this.#factors.hasProven(key);
    if (isBlocked && !isAdmitted) return 'too-many-guesses';
    if (found !== 'unknown') return found;
    // Where the secret is checked afterwards, a wrong one counts there.
    if (isAdmitted || !('isAdmitted' in judged)) return undefined;
    this.#noteWrong(key, digest, now);
    return 'wrong-secret';
  }

  #redeem(
    request: Request,
    { id, label }: InvitationStanding,
    now: number,
    onDecided: (decision: AccessDecision) => void,
  ): void {
    const { publicKey: key } = request;
    void this.#factors.invitations?.redeem(key, id).then((result) => {
      if (result === 'redeemed') this.#guesses.forget(key.hex);
      const judged = this.#judge(request);
      if ('isAdmitted' in judged && (judged.isAdmitted || result === 'redeemed')) onDecided(judged);
      else if (result === 'not-saved') onDecided(refused('not-saved', label));
      // Another client took the last use, or its owner ended it in the meantime.
      else this.decide(request, now, onDecided);
    });
  }

  /** Decides about a client whose invitation does not admit it, or not any more. */
  #judgeLate(request: Request, { id, label, state }: InvitationStanding): AccessDecision {
    const judged = this.#judge(request);
    const { publicKey: key } = request;
    if ('isAdmitted' in judged && judged.isAdmitted) return judged;
    if (this.#factors.listing(key) === 'expired' && state === 'redeemed') return refused('expired', label);
    if (state === 'expired' || state === 'revoked' || state === 'used') this.#factors.invitations?.noteLate(key, id);
    return refused(state === 'expired' || state === 'revoked' ? `invitation-${state}` : 'invitation-used', label);
  }

  /** Decides by everything but the secret, or returns what the check of the secret needs. */
  #judge({ publicKey: key, message }: Request): AccessDecision | SecretRequest {
    const { secret, hasWhitelist, require } = this.#factors;
    if (this.#factors.isBanned(key)) return refused('banned');
    const listing = this.#factors.listing(key);
    if (listing === 'invited') return admitted('whitelist');
    if (this.#hasNoFactor) {
      if (this.isOpen) return admitted('none');
      return refused(listing === 'expired' ? 'expired' : 'closed');
    }
    const isListed = hasWhitelist && listing === 'listed';
    if (isListed && (require === 'any' || secret === undefined)) return admitted('whitelist');
    // Checked first, so that a client that is not on the whitelist cannot learn anything about the secret by guessing.
    if (secret === undefined || (hasWhitelist && !isListed && require === 'all')) return refused(this.#unlisted(key));
    if (this.#factors.isUsedUp?.(key)) return refused('used-up');
    const candidate = secretIn(message);
    return candidate === undefined ? refused('no-secret') : { key, isListed, secret, candidate };
  }

  /**
   * Decides whether an admitted client stays, after the factors may have changed.
   * @param isSecretStale whether the secret by which it was admitted is not valid any more
   * @returns why it is disconnected; undefined when it stays
   */
  reasonToLeave(key: PublicKey, by: AdmittedBy, isSecretStale: boolean): LeaveReason | undefined {
    const { secret, hasWhitelist, require } = this.#factors;
    if (this.#factors.isBanned(key)) return 'banned';
    const listing = this.#factors.listing(key);
    if (listing === 'invited') return undefined;
    if (this.#hasNoFactor) {
      if (this.isOpen) return undefined;
      return by === 'whitelist' ? this.#unlisted(key) : 'closed';
    }
    const isListed = hasWhitelist && listing === 'listed';
    const bySecret = by.startsWith('secret');
    const hasSecret = secret !== undefined && bySecret && !isSecretStale;
    if (require === 'any' && (isListed || hasSecret)) return undefined;
    if (require === 'all' && (isListed || !hasWhitelist)) {
      if (hasSecret || secret === undefined || (isListed && !isSecretStale)) return undefined;
      if (by === 'whitelist') return this.#unlisted(key);
      return by === 'none' ? 'no-secret' : 'secret-changed';
    }
    return bySecret && require === 'any' ? 'secret-changed' : this.#unlisted(key);
  }

  #unlisted(key: PublicKey): 'expired' | 'not-whitelisted' {
    return this.#factors.listing(key) === 'expired' ? 'expired' : 'not-whitelisted';
  }

  /** @param onChecked gets the reason for a refusal; undefined when the secret is right */
  #decideBySecret(pending: SecretRequest, now: number, onChecked: (reason: RefusalReason | undefined) => void): void {
    const { key, secret, candidate } = pending;
    const standing = this.#guesses.standing(key.hex, secret.digest(candidate), now);
    const isProven = this.#factors.hasProven(key);
    // A key that sent the secret once can guess too; its guesses wait behind the others, like those of strangers.
    const isTrusted = pending.isListed || (isProven && standing === 'fresh');
    // Others can replay what this key sent once, so wrong secrets do not block a key that sent the right one.
    if (standing === 'blocked' && !isProven) onChecked('too-many-guesses');
    else if (standing === 'same-again') onChecked('wrong-secret');
    else if (secret.compare(candidate) !== 'unknown') onChecked(this.#checkNow(pending, now));
    else if (!this.#mayCheckSlowly(isTrusted, now)) onChecked('too-many-guesses');
    else
      secret
        .compareSlowly(candidate, isTrusted)
        .then((result) => onChecked(result === 'busy' ? 'too-many-guesses' : this.#checkNow(pending, now)));
  }

  #mayCheckSlowly(isTrusted: boolean, now: number): boolean {
    return (isTrusted ? this.#slowOfTrusted : this.#slowOfStrangers).take(now);
  }

  /** A secret that is unknown after a slow check is wrong. */
  #checkNow({ key, secret, candidate }: SecretRequest, now: number): RefusalReason | undefined {
    const comparison = secret.compare(candidate);
    if (comparison === 'right') this.#factors.noteProven(key);
    if (comparison === 'right' || comparison === 'right-before') {
      this.#guesses.forget(key.hex);
      return undefined;
    }
    this.#noteWrong(key, secret.digest(candidate), now);
    return 'wrong-secret';
  }

  #noteWrong(key: PublicKey, digest: Buffer, now: number): void {
    // It may have been received twice before it was checked.
    if (this.#guesses.standing(key.hex, digest, now) === 'same-again') return;
    const count = this.#guesses.onWrong(key.hex, digest, now);
    if (!this.#factors.hasProven(key)) this.#onWrongSecret(key, count);
  }
}

/** @param invitation whose secret the client sent */
const refused = (reason: RefusalReason, invitation?: string): AccessDecision => ({
  isAdmitted: false,
  reason,
  ...(invitation === undefined ? {} : { invitation }),
});
const admitted = (factors: AdmittedBy): AccessDecision => ({ isAdmitted: true, factors });

/** Returns the policy after a change of some factors, to tell the owner what it would do before it is done. */
export function withOverrides(factors: AccessFactors, changes: Partial<AccessFactors>): AccessPolicy {
  return new AccessPolicy({
    secret: factors.secret,
    secretGeneration: factors.secretGeneration,
    hasWhitelist: factors.hasWhitelist,
    listing: (key) => factors.listing(key),
    isBanned: (key) => factors.isBanned(key),
    hasProven: (key) => factors.hasProven(key),
    noteProven: (key) => factors.noteProven(key),
    require: factors.require,
    isOpen: factors.isOpen,
    ...changes,
  });
}
