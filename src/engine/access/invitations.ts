/** The invitations of a daemon: checks the secrets that clients send, and notes which clients came. */
import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Clock, Timer } from '../../base/clock.js';
import { messageOf } from '../../base/coded-error.js';
import type { Logger } from '../../base/logger.js';
import type { Random } from '../../base/random.js';
import { isLinkSecret, newLinkSecret } from '../../config/link-secret.js';
import type { PublicKey } from '../../tox/crypto/keys.js';
import type { InvitationCheck, InvitationStanding } from './access-factors.js';
import {
  type AccessLists,
  admittedBy,
  MAX_OPEN,
  withInvitation,
  withLateClient,
  withRedemption,
  withRevoked,
} from './access-lists.js';
import { hashOfSecret, type Invitation, type InvitationState, labelOf, stateOf, wasRedeemedBy } from './invitation.js';
import { WhitelistError } from './whitelist.js';

/** Bytes. */
const KEY_SIZE = 32;
const ID_LETTERS = 'abcdefghijkmnpqrstuvwxyz';
const ID_LENGTH = 5;
/** ms. Clients repeat their requests, so not each of them is written at once. */
const SAVE_LATE_AFTER = 10_000;
/** Late clients that are not written yet. */
const MAX_UNSAVED = 64;

export interface InvitationsDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  lists(): AccessLists;
  /** Changes the lists and reviews the clients. @throws StateFileError; then nothing has changed */
  change(change: (lists: AccessLists) => AccessLists): Promise<void>;
  /** Changes the lists where that concerns no client. @throws StateFileError */
  note(change: (lists: AccessLists) => AccessLists): Promise<void>;
}

export type NewInvitation = Pick<
  Invitation,
  'name' | 'allow' | 'allowReverse' | 'rate' | 'maxTunnels' | 'expiresAt' | 'uses' | 'access'
>;

export class Invitations implements InvitationCheck {
  readonly #deps: InvitationsDeps;
  /** New in each run: a digest that leaks cannot be compared with anything. */
  readonly #key: Buffer;
  /** By invitation and public key. */
  readonly #unsavedLate = new Map<
    string,
    { readonly id: string; readonly publicKey: PublicKey; readonly at: number }
  >();
  #savingLate: Timer | undefined;

  constructor(deps: InvitationsDeps) {
    this.#deps = deps;
    this.#key = deps.random.bytes(KEY_SIZE);
  }

  // For the policy

  get admitsAny(): boolean {
    const now = this.#now;
    const { invitations, whitelist } = this.#deps.lists();
    return (
      invitations.some((one) => stateOf(one, now) === 'open') ||
      [...whitelist.entries.values()].some(({ invited, expiresAt }) => invited && (expiresAt ?? now + 1) > now)
    );
  }

  digest(candidate: Buffer): Buffer {
    return createHmac('sha256', this.#key).update(candidate).digest();
  }

  find(key: PublicKey, candidate: Buffer): InvitationStanding | 'unknown' | undefined {
    const { invitations } = this.#deps.lists();
    if (invitations.length === 0 || !isLinkSecret(candidate.toString('latin1'))) return undefined;
    const hash = hashOfSecret(candidate);
    // All of them are compared, and each in constant time: the time says nothing about which one it is.
    const [found] = invitations.filter((one) => timingSafeEqual(one.hash, hash));
    if (found === undefined) return 'unknown';
    const state = wasRedeemedBy(found, key) ? 'redeemed' : stateOf(found, this.#now);
    return { id: found.id, label: labelOf(found), state };
  }

  async redeem(key: PublicKey, id: string): Promise<'redeemed' | 'too-late' | 'not-saved'> {
    const { log, lists, change } = this.#deps;
    const before = this.#invitation(id);
    try {
      await change((old) => withRedemption(old, id, key, this.#now));
    } catch (error) {
      log.error(`invitation ${id}: not redeemed by ${key.short}, nothing has changed: ${messageOf(error)}`);
      return 'not-saved';
    }
    const invitation = this.#invitation(id);
    if (invitation === undefined || !wasRedeemedBy(invitation, key)) return 'too-late';
    if (before !== undefined && !wasRedeemedBy(before, key)) {
      const alias = lists().whitelist.entries.get(key.hex)?.alias;
      const named = alias === undefined ? '' : ` as ${alias}`;
      log.info(`invitation ${labelOf(invitation)}: redeemed by ${key.short}, which is on the whitelist now${named}`);
    }
    return 'redeemed';
  }

  noteLate(key: PublicKey, id: string): void {
    const place = `${id} ${key.hex}`;
    const { late } = this.#invitation(id) ?? { late: [] };
    if (this.#unsavedLate.has(place) || this.#unsavedLate.size >= MAX_UNSAVED) return;
    const at = this.#now;
    // A client asks again and again: its last time is written once an hour.
    if (late.some(({ publicKey, at: last }) => publicKey.equals(key) && at - last < 3_600)) return;
    this.#unsavedLate.set(place, { id, publicKey: key, at });
    this.#savingLate ??= this.#deps.clock.after(SAVE_LATE_AFTER, () => void this.#saveLate());
  }

  // For the owner

  /** The oldest ones first. */
  get all(): readonly Invitation[] {
    return this.#withLate(this.#deps.lists()).invitations;
  }

  stateOf(invitation: Invitation): InvitationState {
    return stateOf(invitation, this.#now);
  }

  /** Returns how many clients each of these admitted that are still on the whitelist. */
  admittedBy(invitations: readonly Invitation[]): readonly PublicKey[] {
    return admittedBy(this.#deps.lists(), invitations).map(({ publicKey }) => publicKey);
  }

  /** @returns the invitation, and its secret, which is not stored. @throws WhitelistError `full`, StateFileError */
  async create(wanted: NewInvitation): Promise<{ readonly invitation: Invitation; readonly secret: string }> {
    const { random } = this.#deps;
    const secret = newLinkSecret(random);
    const invitation: Invitation = {
      ...wanted,
      id: this.#newId(),
      createdAt: this.#now,
      revokedAt: undefined,
      hash: hashOfSecret(Buffer.from(secret)),
      redemptions: [],
      late: [],
    };
    await this.#deps.change((lists) => {
      if (lists.invitations.filter((one) => this.stateOf(one) === 'open').length >= MAX_OPEN) {
        throw new WhitelistError('full', `there are ${MAX_OPEN} open invitations already`);
      }
      return withInvitation(lists, invitation);
    });
    return { invitation, secret };
  }

  /** @param isRemoving whether the clients that they admitted are taken off the whitelist. @throws StateFileError */
  async revoke(ids: readonly string[], isRemoving: boolean): Promise<void> {
    await this.#deps.change((lists) => withRevoked(this.#withLate(lists), ids, { now: this.#now, isRemoving }));
  }

  close(): void {
    this.#savingLate?.cancel();
  }

  get #now(): number {
    return this.#deps.clock.unixTime();
  }

  #invitation(id: string): Invitation | undefined {
    return this.#deps.lists().invitations.find((one) => one.id === id);
  }

  #newId(): string {
    const { random } = this.#deps;
    const letters = Array.from({ length: ID_LENGTH }, () => ID_LETTERS[random.below(ID_LETTERS.length)]);
    const id = letters.join('');
    return this.#invitation(id) === undefined ? id : this.#newId();
  }

  #withLate(lists: AccessLists): AccessLists {
    let changed = lists;
    for (const { id, publicKey, at } of this.#unsavedLate.values())
      changed = withLateClient(changed, id, publicKey, at);
    return changed;
  }

  /** A failure is harmless: the owner still sees them until the process ends. */
  async #saveLate(): Promise<void> {
    this.#savingLate = undefined;
    const saved = [...this.#unsavedLate.keys()];
    try {
      await this.#deps.note((lists) => this.#withLate(lists));
      for (const place of saved) this.#unsavedLate.delete(place);
    } catch (error) {
      this.#deps.log.debug(messageOf(error));
    }
  }
}
