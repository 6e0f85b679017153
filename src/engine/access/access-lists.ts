/**
 * The whitelist and the invitations that add to it, in one file: a redemption changes both, so that neither a crash nor a full disk
 * leaves a client without its entry, or an invitation with a use too many.
 */
import type { PublicKey } from '../../tox/crypto/keys.js';
import type { JsonFormat } from '../state/json-file.js';
import {
  decodeInvitation,
  encodeInvitation,
  endOf,
  type Invitation,
  stateOf,
  wasRedeemedBy,
  withLate,
} from './invitation.js';
import {
  aliasOwners,
  listingOf,
  MAX_ENTRIES,
  NO_WHITELIST,
  type Whitelist,
  type WhitelistEntry,
  WhitelistError,
  whitelistFormat,
} from './whitelist.js';

export interface AccessLists {
  readonly whitelist: Whitelist;
  /** The oldest ones first. */
  readonly invitations: readonly Invitation[];
}

/** Open ones at a time. */
export const MAX_OPEN = 64;
/** Those that have ended, for the owner to see. */
const MAX_ENDED = 64;
/** s after its end. */
const MEMORY = 7 * 24 * 3_600;
const MAX_NAME = 32;

/** Adds an invitation, and forgets those that ended long ago. */
export function withInvitation(lists: AccessLists, invitation: Invitation): AccessLists {
  const now = invitation.createdAt;
  const ended = lists.invitations.filter((one) => stateOf(one, now) !== 'open');
  const recent = ended.filter((one) => now - (endOf(one, now) ?? now) < MEMORY).slice(-MAX_ENDED);
  const open = lists.invitations.filter((one) => stateOf(one, now) === 'open');
  return { ...lists, invitations: [...recent, ...open, invitation] };
}

const withChangedInvitation = (lists: AccessLists, changed: Invitation): AccessLists => ({
  ...lists,
  invitations: lists.invitations.map((one) => (one.id === changed.id ? changed : one)),
});

/** Ends invitations. @param isRemoving whether the clients that they admitted are taken off the whitelist as well */
export function withRevoked(
  lists: AccessLists,
  ids: readonly string[],
  { now, isRemoving }: { readonly now: number; readonly isRemoving: boolean },
): AccessLists {
  const revoked = lists.invitations.filter(({ id }) => ids.includes(id));
  const invitations = lists.invitations.map((one) =>
    ids.includes(one.id) && stateOf(one, now) === 'open' ? { ...one, revokedAt: now } : one,
  );
  if (!isRemoving) return { ...lists, invitations };
  const removed = new Set(admittedBy(lists, revoked).map(({ publicKey }) => publicKey.hex));
  const entries = new Map([...lists.whitelist.entries].filter(([id]) => !removed.has(id)));
  return { whitelist: { ...lists.whitelist, entries }, invitations };
}

/** Returns the entries that these invitations made, as far as they are still there. */
export function admittedBy({ whitelist }: AccessLists, invitations: readonly Invitation[]): readonly WhitelistEntry[] {
  const keys = new Set(invitations.flatMap(({ redemptions }) => redemptions.map(({ publicKey }) => publicKey.hex)));
  return [...whitelist.entries.values()].filter(({ publicKey, invited }) => invited && keys.has(publicKey.hex));
}

/**
 * Redeems an invitation, if that is still possible. An entry that its owner wrote stays as it is, but needs nothing else from now on.
 * @returns the lists as they were if it is not possible any more
 * @throws WhitelistError `full`
 */
export function withRedemption(lists: AccessLists, id: string, publicKey: PublicKey, now: number): AccessLists {
  const invitation = lists.invitations.find((one) => one.id === id);
  if (invitation === undefined || wasRedeemedBy(invitation, publicKey) || stateOf(invitation, now) !== 'open') {
    return lists;
  }
  const { whitelist } = lists;
  const { hex } = publicKey;
  const before = whitelist.entries.get(hex);
  if (before === undefined && whitelist.entries.size >= MAX_ENTRIES) {
    throw new WhitelistError('full', `the whitelist has ${MAX_ENTRIES} entries`);
  }
  const entry: WhitelistEntry =
    before !== undefined && listingOf(before, now) === 'listed'
      ? { ...before, invited: true }
      : {
          publicKey,
          alias: before?.alias ?? freeName(whitelist.entries.values(), invitation.name),
          allow: invitation.allow,
          allowReverse: invitation.allowReverse,
          rate: invitation.rate,
          maxTunnels: invitation.maxTunnels,
          expiresAt: invitation.access === undefined ? undefined : now + invitation.access,
          note: before?.note ?? '',
          addedAt: now,
          invited: true,
        };
  const entries = new Map(whitelist.entries).set(hex, entry);
  const redemptions = [...invitation.redemptions, { publicKey, at: now }];
  return { ...withChangedInvitation(lists, { ...invitation, redemptions }), whitelist: { ...whitelist, entries } };
}

/** Notes that a client came too late. */
export function withLateClient(lists: AccessLists, id: string, publicKey: PublicKey, now: number): AccessLists {
  const invitation = lists.invitations.find((one) => one.id === id);
  const state = invitation === undefined ? 'open' : stateOf(invitation, now);
  if (invitation === undefined || state === 'open') return lists;
  return withChangedInvitation(lists, withLate(invitation, { publicKey, at: now, state }));
}

/** Returns the name if no client has it, or else NAME-2, NAME-3 and so on. */
export function freeName(entries: Iterable<WhitelistEntry>, name: string | undefined): string | undefined {
  if (name === undefined) return undefined;
  const owners = aliasOwners(entries);
  const names = Array.from({ length: owners.size + 1 }, (_, at) =>
    at === 0 ? name : `${name.slice(0, MAX_NAME - 1 - String(at + 1).length)}-${at + 1}`,
  );
  return names.find((one) => !owners.has(one));
}

export const accessListsFormat: JsonFormat<AccessLists> = {
  name: whitelistFormat.name,
  version: whitelistFormat.version,
  initial: { whitelist: NO_WHITELIST, invitations: [] },
  unusable: { whitelist: whitelistFormat.unusable ?? NO_WHITELIST, invitations: [] },
  encode: ({ whitelist, invitations }) => ({
    ...whitelistFormat.encode(whitelist),
    ...(invitations.length === 0 ? {} : { invitations: invitations.map(encodeInvitation) }),
  }),
  // Older versions did not write invitations.
  decode: ({ invitations = [], ...rest }) => {
    if (!Array.isArray(invitations)) throw new Error('its "invitations" is not a list');
    const decoded = invitations.map((one, index) => decodeInvitation(one, index + 1));
    if (new Set(decoded.map(({ id }) => id)).size < decoded.length) throw new Error('two invitations have the same id');
    return { whitelist: whitelistFormat.decode(rest), invitations: decoded };
  },
};
