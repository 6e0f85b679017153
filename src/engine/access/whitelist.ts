/** The whitelist of a daemon: public keys, each with the targets that it may reach and the end of its access. */
import { ALIAS } from '../../base/alias.js';
import { CodedError } from '../../base/coded-error.js';
import { FormatError } from '../../config/format-error.js';
import { PublicKey } from '../../tox/crypto/keys.js';
import type { JsonFormat } from '../state/json-file.js';
import { type ListenPermission, listenPermissionText, parseListenPermission } from './listen-permission.js';
import type { Rule } from './rules.js';
import { ruleOf } from './target-rules.js';

/** The message is for the owner. */
export class WhitelistError extends CodedError<'exists' | 'alias-taken' | 'full' | 'bad-target' | 'not-listed'> {}

export const MAX_ENTRIES = 10_000;

export interface AllowedTarget {
  /** As the owner wrote it. */
  readonly text: string;
  readonly rule: Rule;
}

export interface WhitelistEntry {
  readonly publicKey: PublicKey;
  readonly alias: string | undefined;
  /** Empty: every target that the global rules allow. */
  readonly allow: readonly AllowedTarget[];
  /** Ports of this machine that it may have opened; undefined: none. */
  readonly allowReverse?: readonly ListenPermission[] | undefined;
  /** Bytes per second in each direction, for all its tunnels together; undefined: no limit. */
  readonly rate: number | undefined;
  /** Undefined: no limit of its own. */
  readonly maxTunnels: number | undefined;
  /** Unix time, s. */
  readonly expiresAt: number | undefined;
  readonly note: string;
  readonly addedAt: number;
  /** Whether it came by an invitation: its key then needs nothing else, neither the secret nor the whitelist as a factor. */
  readonly invited: boolean;
}

/**
 * What the whitelist says of a key:
 * - `none`: it has no entry
 * - `expired`: its entry has expired
 * - `listed`: it has an entry
 * - `invited`: it has an entry that came by an invitation
 */
export type Listing = 'none' | 'expired' | 'listed' | 'invited';

export interface Whitelist {
  /**
   * Whether the whitelist is a factor: from the first entry of the owner on, also when it is empty again, until the owner turns it
   * off. Entries that came by an invitation do not make it one, so they never disconnect the clients that have the secret.
   */
  readonly isFactor: boolean;
  /** By public key in hex. */
  readonly entries: ReadonlyMap<string, WhitelistEntry>;
}

export const NO_WHITELIST: Whitelist = { isFactor: false, entries: new Map() };

export const isExpired = ({ expiresAt }: WhitelistEntry, unixTime: number): boolean =>
  expiresAt !== undefined && unixTime >= expiresAt;

export function listingOf(entry: WhitelistEntry | undefined, unixTime: number): Listing {
  if (entry === undefined) return 'none';
  if (isExpired(entry, unixTime)) return 'expired';
  return entry.invited ? 'invited' : 'listed';
}

/** Parses a target, written as a line of a rules file. @param line its place in the list, from 1 @throws WhitelistError */
export function parseAllowed(text: string, line: number): AllowedTarget {
  const rule = fromOwner(() => ruleOf(text, line));
  if (rule.hasProxyHeader !== true) return { text, rule };
  const message = `"${text}": proxy is a word of the rules file; a list of a client has the target alone`;
  throw new WhitelistError('bad-target', message);
}

/** Parses the ports that a client may have opened. @throws WhitelistError */
export const parseAllowedReverse = (text: string): ListenPermission => fromOwner(() => parseListenPermission(text));

/** @throws WhitelistError in place of a FormatError */
function fromOwner<Value>(parse: () => Value): Value {
  try {
    return parse();
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    throw new WhitelistError('bad-target', error.message, { cause: error });
  }
}

/** Adds all entries or none; one of the owner's own makes the list a factor. @throws WhitelistError when a key is listed, an alias belongs to another, or the list is full */
export function withEntries(list: Whitelist, added: readonly WhitelistEntry[]): Whitelist {
  const entries = new Map(list.entries);
  const owners = aliasOwners(entries.values());
  for (const entry of added) {
    const { alias, publicKey } = entry;
    if (entries.has(publicKey.hex)) {
      throw new WhitelistError('exists', `${publicKey.short} is on the whitelist already`);
    }
    if (entries.size >= MAX_ENTRIES) throw new WhitelistError('full', `the whitelist has ${MAX_ENTRIES} entries`);
    if (alias !== undefined) {
      const owner = owners.get(alias);
      if (owner !== undefined) throw aliasTaken(alias, owner);
      owners.set(alias, publicKey);
    }
    entries.set(publicKey.hex, entry);
  }
  return { isFactor: list.isFactor || added.some(({ invited }) => !invited), entries };
}

/** Returns the key of each alias. */
export function aliasOwners(entries: Iterable<WhitelistEntry>): Map<string, PublicKey> {
  const owners = new Map<string, PublicKey>();
  for (const { alias, publicKey } of entries) if (alias !== undefined) owners.set(alias, publicKey);
  return owners;
}

const aliasTaken = (alias: string, owner: PublicKey): WhitelistError =>
  new WhitelistError('alias-taken', `the name "${alias}" belongs to ${owner.short}`);

/**
 * @param change gets the present entry: another request may have changed it in the meantime
 * @throws WhitelistError when the key is not listed any more, or the alias belongs to another
 */
export function withChanged(
  list: Whitelist,
  publicKey: PublicKey,
  change: (entry: WhitelistEntry) => WhitelistEntry,
): Whitelist {
  const entry = list.entries.get(publicKey.hex);
  if (entry === undefined)
    throw new WhitelistError('not-listed', `${publicKey.short} is not on the whitelist any more`);
  const changed = change(entry);
  const owner = changed.alias === undefined ? undefined : aliasOwners(list.entries.values()).get(changed.alias);
  if (owner !== undefined && !owner.equals(publicKey)) throw aliasTaken(changed.alias as string, owner);
  return { ...list, entries: new Map(list.entries).set(publicKey.hex, changed) };
}

export function withoutEntry(list: Whitelist, publicKey: PublicKey): Whitelist {
  const entries = new Map(list.entries);
  entries.delete(publicKey.hex);
  return { ...list, entries };
}

/** Turns it off; clients that came by an invitation stay. */
export const withoutFactor = ({ entries }: Whitelist): Whitelist => ({
  isFactor: false,
  entries: new Map([...entries].filter(([, { invited }]) => invited)),
});

/** Returns when the next entry expires (Unix time, s); undefined when none will. */
export function nextExpiry(list: Whitelist, unixTime: number): number | undefined {
  let next: number | undefined;
  for (const { expiresAt } of list.entries.values()) {
    if (expiresAt !== undefined && expiresAt > unixTime && expiresAt < (next ?? Number.POSITIVE_INFINITY)) {
      next = expiresAt;
    }
  }
  return next;
}

export const whitelistFormat: JsonFormat<Whitelist> = {
  name: 'whitelist.json',
  version: 1,
  initial: NO_WHITELIST,
  // A whitelist that cannot be read lists no client, but is a factor.
  unusable: { ...NO_WHITELIST, isFactor: true },
  encode: ({ isFactor, entries }) => ({
    is_factor: isFactor,
    entries: [...entries.values()].map((entry) => ({
      key: entry.publicKey.hex.toUpperCase(),
      alias: entry.alias ?? null,
      allow: entry.allow.map(({ text }) => text),
      ...encodeAllowReverse(entry.allowReverse),
      rate: entry.rate ?? null,
      max_tunnels: entry.maxTunnels ?? null,
      expires_at: entry.expiresAt ?? null,
      note: entry.note,
      added_at: entry.addedAt,
      invited: entry.invited,
    })),
  }),
  decode: ({ is_factor: isFactor, entries }) => {
    if (typeof isFactor !== 'boolean' || !Array.isArray(entries)) throw new Error('it has no "is_factor" or "entries"');
    const decoded = entries.map((entry, index) => decodeEntry(entry, index + 1));
    const list = new Map(decoded.map((entry) => [entry.publicKey.hex, entry]));
    if (list.size < decoded.length) throw new Error('a key is listed twice');
    const named = decoded.filter(({ alias }) => alias !== undefined);
    if (aliasOwners(named).size < named.length) throw new Error('two entries have the same alias');
    return { isFactor, entries: list };
  },
};

function decodeEntry(value: unknown, place: number): WhitelistEntry {
  const {
    key,
    alias,
    allow,
    expires_at: expiresAt,
    note,
    added_at: addedAt,
    // Older versions did not write these.
    allow_reverse: allowReverse = [],
    invited = false,
    rate = null,
    max_tunnels: maxTunnels = null,
  } = (value ?? {}) as Record<string, unknown>;
  const publicKey = typeof key === 'string' ? PublicKey.parse(key) : undefined;
  const invalid = (field: string): never => {
    throw new Error(`entry ${place}: its "${field}" is invalid`);
  };
  if (publicKey === undefined) return invalid('key');
  // People could not type any other alias.
  if (alias !== null && !(typeof alias === 'string' && ALIAS.test(alias))) return invalid('alias');
  if (!Array.isArray(allow)) return invalid('allow');
  if (!Array.isArray(allowReverse)) return invalid('allow_reverse');
  if (!isLimit(rate)) return invalid('rate');
  if (!isLimit(maxTunnels)) return invalid('max_tunnels');
  if (expiresAt !== null && !isTime(expiresAt)) return invalid('expires_at');
  if (typeof note !== 'string') return invalid('note');
  if (!isTime(addedAt)) return invalid('added_at');
  if (typeof invited !== 'boolean') return invalid('invited');
  return {
    publicKey,
    alias: alias ?? undefined,
    allow: allow.map((text, index) => parseAllowed(String(text), index + 1)),
    ...decodeAllowReverse(allowReverse),
    rate: rate ?? undefined,
    maxTunnels: maxTunnels ?? undefined,
    expiresAt: expiresAt ?? undefined,
    note,
    addedAt,
    invited,
  };
}

/** Null: there is none. */
export const isLimit = (value: unknown): value is number | null =>
  value === null || (Number.isSafeInteger(value) && (value as number) > 0);

/** Without ports the field is left out, as older versions have it. */
export const encodeAllowReverse = (ports: WhitelistEntry['allowReverse'] = []) =>
  ports.length === 0 ? {} : { allow_reverse: ports.map(listenPermissionText) };

/** @throws WhitelistError */
export const decodeAllowReverse = (texts: readonly unknown[]): Pick<WhitelistEntry, 'allowReverse'> =>
  texts.length === 0 ? {} : { allowReverse: texts.map((text) => parseAllowedReverse(String(text))) };

export const isTime = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;
