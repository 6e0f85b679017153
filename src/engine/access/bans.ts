/** Keys that are kept out whatever else they have. Values only, no I/O. */
import { PublicKey } from '../../tox/crypto/keys.js';
import type { JsonFormat } from '../state/json-file.js';

export interface Ban {
  readonly publicKey: PublicKey;
  /** For the owner. */
  readonly reason: string;
  /** Unix times, s; without an end until it is cleared. */
  readonly since: number;
  readonly until: number | undefined;
}

/** By public key in hex. */
export type Bans = ReadonlyMap<string, Ban>;

/** Implementation: bans at the most: keys cost nothing, so the ones that end first give way. */
const MAX_BANS = 4_096;

export const isOver = ({ until }: Ban, unixTime: number): boolean => until !== undefined && unixTime >= until;

export const isBanned = (bans: Bans, publicKey: PublicKey, unixTime: number): boolean => {
  const ban = bans.get(publicKey.hex);
  return ban !== undefined && !isOver(ban, unixTime);
};

/** Those that have ended are forgotten on the way. */
export function withBan(bans: Bans, ban: Ban): Bans {
  const left = new Map([...bans].filter(([, old]) => !isOver(old, ban.since)));
  left.set(ban.publicKey.hex, ban);
  if (left.size > MAX_BANS) {
    const end = ({ until }: Ban): number => until ?? Number.POSITIVE_INFINITY;
    const [first] = [...left.values()].sort((a, b) => end(a) - end(b));
    if (first !== undefined) left.delete(first.publicKey.hex);
  }
  return left;
}

/** @param publicKey undefined for all of them */
export function withoutBan(bans: Bans, publicKey: PublicKey | undefined): Bans {
  if (publicKey === undefined) return new Map();
  const left = new Map(bans);
  left.delete(publicKey.hex);
  return left;
}

export const bansFormat: JsonFormat<Bans> = {
  name: 'bans.json',
  version: 1,
  initial: new Map(),
  encode: (bans) => ({
    bans: [...bans.values()].map(({ publicKey, reason, since, until }) => ({
      key: publicKey.hex.toUpperCase(),
      reason,
      since,
      until: until ?? null,
    })),
  }),
  decode: ({ bans }) => {
    if (!Array.isArray(bans)) throw new Error('it has no list "bans"');
    return new Map(bans.map((ban, index) => decodeBan(ban, index + 1)).map((ban) => [ban.publicKey.hex, ban]));
  },
};

function decodeBan(value: unknown, place: number): Ban {
  const { key, reason, since, until } = (value ?? {}) as Record<string, unknown>;
  const publicKey = typeof key === 'string' ? PublicKey.parse(key) : undefined;
  const isTime = (time: unknown): time is number => Number.isSafeInteger(time);
  if (publicKey === undefined || typeof reason !== 'string' || !isTime(since) || !(until === null || isTime(until))) {
    throw new Error(`entry ${place} is not as it was written`);
  }
  return { publicKey, reason, since, until: until ?? undefined };
}
