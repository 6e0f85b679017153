/**
 * An invitation: a secret of its own, in a link. The client that sends it is put on the whitelist, with the name and the targets of the
 * invitation, and is admitted by its key from then on. Only a hash is stored, a quick one: 100 random bits cannot be found by trying.
 */
import { createHash } from 'node:crypto';
import { ALIAS } from '../../base/alias.js';
import { PublicKey } from '../../tox/crypto/keys.js';
import {
  type AllowedTarget,
  decodeAllowReverse,
  encodeAllowReverse,
  isLimit,
  isTime,
  parseAllowed,
  type WhitelistEntry,
} from './whitelist.js';

/** Clients that came too late and are remembered, for each invitation. */
const MAX_LATE = 8;

export interface Redemption {
  readonly publicKey: PublicKey;
  /** Unix time, s. */
  readonly at: number;
}

/** What an invitation is at a time; only an open one admits. */
export type InvitationState = 'open' | 'used' | 'expired' | 'revoked';

/** A client that came when the invitation was not open any more. */
export interface LateClient extends Redemption {
  readonly state: Exclude<InvitationState, 'open'>;
}

export interface Invitation {
  /** Short, for people. */
  readonly id: string;
  /** The name of the clients that come; a second one is called NAME-2. */
  readonly name: string | undefined;
  /** Empty: every target that the global rules allow. */
  readonly allow: readonly AllowedTarget[];
  /** Ports of this machine that the clients may have opened; undefined: none. */
  readonly allowReverse?: WhitelistEntry['allowReverse'];
  /** Of each of them; see WhitelistEntry. */
  readonly rate: number | undefined;
  readonly maxTunnels: number | undefined;
  /** Unix times, s. */
  readonly createdAt: number;
  readonly expiresAt: number;
  readonly revokedAt: number | undefined;
  /** How many clients it admits. */
  readonly uses: number;
  /** s for which each of them has access; undefined: without an end. */
  readonly access: number | undefined;
  readonly hash: Buffer;
  readonly redemptions: readonly Redemption[];
  /** The latest ones last, each key once. */
  readonly late: readonly LateClient[];
}

export const hashOfSecret = (secret: Buffer): Buffer => createHash('sha256').update(secret).digest();

export function stateOf(invitation: Invitation, unixTime: number): InvitationState {
  if (invitation.revokedAt !== undefined) return 'revoked';
  if (invitation.redemptions.length >= invitation.uses) return 'used';
  // A clock that was set back does not make it last longer than it was meant to.
  return unixTime >= invitation.expiresAt || unixTime < invitation.createdAt ? 'expired' : 'open';
}

/** Returns when it ended (Unix time, s); undefined while it is open. */
export function endOf(invitation: Invitation, unixTime: number): number | undefined {
  const { expiresAt, redemptions, revokedAt } = invitation;
  const ends = { open: undefined, used: redemptions.at(-1)?.at, expired: expiresAt, revoked: revokedAt };
  return ends[stateOf(invitation, unixTime)];
}

export const wasRedeemedBy = ({ redemptions }: Invitation, key: PublicKey): boolean =>
  redemptions.some(({ publicKey }) => publicKey.equals(key));

/** Returns how the log and errors call it. */
export const labelOf = ({ id, name }: Pick<Invitation, 'id' | 'name'>): string =>
  name === undefined ? id : `${name} (${id})`;

export function withLate(invitation: Invitation, late: LateClient): Invitation {
  const others = invitation.late.filter(({ publicKey }) => !publicKey.equals(late.publicKey));
  return { ...invitation, late: [...others, late].slice(-MAX_LATE) };
}

export const encodeInvitation = (invitation: Invitation): Record<string, unknown> => ({
  id: invitation.id,
  name: invitation.name ?? null,
  allow: invitation.allow.map(({ text }) => text),
  ...encodeAllowReverse(invitation.allowReverse),
  rate: invitation.rate ?? null,
  max_tunnels: invitation.maxTunnels ?? null,
  created_at: invitation.createdAt,
  expires_at: invitation.expiresAt,
  revoked_at: invitation.revokedAt ?? null,
  uses: invitation.uses,
  access: invitation.access ?? null,
  sha256: invitation.hash.toString('hex'),
  redeemed: invitation.redemptions.map(({ publicKey, at }) => ({ key: publicKey.hex, at })),
  late: invitation.late.map(({ publicKey, at, state }) => ({ key: publicKey.hex, at, state })),
});

/** @param place in the list, from 1 @throws Error */
export function decodeInvitation(value: unknown, place: number): Invitation {
  const fields = (value ?? {}) as Record<string, unknown>;
  const { id, name, allow, uses, access, sha256: hash, redeemed, late, revoked_at: revokedAt } = fields;
  const { created_at: createdAt, expires_at: expiresAt } = fields;
  // Older versions did not write these.
  const { allow_reverse: allowReverse = [], rate = null, max_tunnels: maxTunnels = null } = fields;
  const invalid = (field: string): never => {
    throw new Error(`invitation ${place}: its "${field}" is invalid`);
  };
  if (!(typeof id === 'string' && ALIAS.test(id))) return invalid('id');
  if (name !== null && !(typeof name === 'string' && ALIAS.test(name))) return invalid('name');
  if (!Array.isArray(allow)) return invalid('allow');
  if (!Array.isArray(allowReverse)) return invalid('allow_reverse');
  if (!isLimit(rate)) return invalid('rate');
  if (!isLimit(maxTunnels)) return invalid('max_tunnels');
  if (!isTime(createdAt)) return invalid('created_at');
  if (!isTime(expiresAt)) return invalid('expires_at');
  if (revokedAt !== null && !isTime(revokedAt)) return invalid('revoked_at');
  if (!isTime(uses) || uses < 1) return invalid('uses');
  if (access !== null && !isTime(access)) return invalid('access');
  if (typeof hash !== 'string' || !/^[0-9a-f]{64}$/.test(hash)) return invalid('sha256');
  if (!Array.isArray(redeemed)) return invalid('redeemed');
  if (!Array.isArray(late)) return invalid('late');
  return {
    id,
    name: name ?? undefined,
    allow: allow.map((text, index) => parseAllowed(String(text), index + 1)),
    ...decodeAllowReverse(allowReverse),
    rate: rate ?? undefined,
    maxTunnels: maxTunnels ?? undefined,
    createdAt,
    expiresAt,
    revokedAt: revokedAt ?? undefined,
    uses,
    access: access ?? undefined,
    hash: Buffer.from(hash, 'hex'),
    redemptions: redeemed.map((one) => decodeRedemption(one) ?? invalid('redeemed')),
    late: late.map((one) => decodeLate(one) ?? invalid('late')),
  };
}

function decodeRedemption(value: unknown): Redemption | undefined {
  const { key, at } = (value ?? {}) as Record<string, unknown>;
  const publicKey = typeof key === 'string' ? PublicKey.parse(key) : undefined;
  return publicKey === undefined || !isTime(at) ? undefined : { publicKey, at };
}

function decodeLate(value: unknown): LateClient | undefined {
  const redemption = decodeRedemption(value);
  const { state } = (value ?? {}) as Record<string, unknown>;
  const isState = state === 'used' || state === 'expired' || state === 'revoked';
  return redemption === undefined || !isState ? undefined : { ...redemption, state };
}
