/** `whitelist`: the clients that are admitted by their key. */
import { LAST_UNIX_TIME, rfc3339, unixTimeOfRfc3339 } from '../../base/clock.js';
import { countText } from '../../base/units.js';
import { ControlError } from '../../control/control-error.js';
import type { MethodHandlers, Params, Result } from '../../control/protocol.js';
import { withOverrides } from '../../engine/access/access-policy.js';
import { wasRedeemedBy } from '../../engine/access/invitation.js';
import { listenPermissionText, mayListen } from '../../engine/access/listen-permission.js';
import {
  aliasOwners,
  isExpired,
  type Listing,
  listingOf,
  parseAllowed,
  parseAllowedReverse,
  type WhitelistEntry,
} from '../../engine/access/whitelist.js';
import type { AdmittedClient } from '../../engine/server/client-admission.js';
import { nameWithKey } from '../../engine/server/client-names.js';
import { reachedBy } from '../../engine/server/target-policy.js';
import { affectedBy, confirm, namesOf, noLongerAdmitted, tunnelsOf } from './affected-clients.js';
import { findClient, keyAt, keyText, nameOf, newClient } from './client-names.js';
import type { MethodContext } from './context.js';
import { asControlError, checkRead, saved } from './save-errors.js';
import { notesOnServices } from './services.js';

type Deps = Pick<
  MethodContext,
  'access' | 'clock' | 'admission' | 'engine' | 'log' | 'policy' | 'services' | 'targets'
>;
type Change = Result<'whitelist.add'>;
type Item = Omit<Params<'whitelist.import'>['items'][number], 'invited'> & { readonly invited?: boolean };
type Names =
  | 'whitelist.list'
  | 'whitelist.add'
  | 'whitelist.edit'
  | 'whitelist.remove'
  | 'whitelist.import'
  | 'whitelist.off';

export function whitelistMethods(deps: Deps): Pick<MethodHandlers, Names> {
  const { access } = deps;
  return {
    'whitelist.list': () => {
      checkRead(access.errors.get('lists'));
      const entries = access.entries.map((entry) => shown(deps, entry));
      return { schema: 'tuntox.whitelist/1', enabled: access.hasWhitelist, entries };
    },
    'whitelist.add': (params) => addClient(deps, params),
    'whitelist.import': ({ items, ...options }) => add(deps, newEntries(deps, items), { ...options, adopt: false }),
    'whitelist.edit': (params) => edit(deps, params),
    'whitelist.remove': ({ client, dryRun }) => remove(deps, client, dryRun),
    'whitelist.off': (params) => off(deps, params),
  };
}

export const addClient = (
  deps: Deps,
  { confirmed, adopt, ifAbsent, dryRun, ...item }: Params<'whitelist.add'>,
): Promise<Change> => add(deps, [entryOf(deps, item)], { confirmed, adopt, ifAbsent, dryRun });

interface AddOptions {
  readonly confirmed: boolean;
  readonly adopt: boolean;
  readonly ifAbsent: boolean;
  readonly dryRun: boolean;
}

async function add(deps: Deps, given: readonly WhitelistEntry[], options: AddOptions): Promise<Change> {
  const { access, clock } = deps;
  const isNew = ({ publicKey }: WhitelistEntry): boolean => access.entry(publicKey) === undefined;
  const entries = options.ifAbsent ? given.filter(isNew) : given;
  const kept = given.length - entries.length;
  const keptNotes = kept === 0 ? [] : [keptNote(kept)];
  if (entries.length === 0) return change({ notes: kept === 0 ? ['there is nothing to add'] : keptNotes });
  const owners = aliasOwners(access.entries);
  for (const entry of entries) {
    const { publicKey } = entry;
    checkAlias(owners, entry);
    const listed = access.entry(publicKey);
    if (listed === undefined) continue;
    throw new ControlError('exists', `${listed.alias ?? publicKey.short} is already on the whitelist`, {
      hint: `to change its entry: tuntoxctl whitelist edit ${nameOf(deps, publicKey)}`,
    });
  }
  const listings = new Map(entries.map((entry) => [entry.publicKey.hex, listingOf(entry, clock.unixTime())]));
  const listing = (key: WhitelistEntry['publicKey']): Listing => listings.get(key.hex) ?? access.listing(key);
  const hasWhitelist = access.hasWhitelist || entries.some(({ invited }) => !invited);
  const affected = affectedBy(deps, { door: { hasWhitelist }, factors: { hasWhitelist, listing } });
  const adopted = options.adopt ? affected.clients.map((client) => adoptedEntry(client, clock.unixTime())) : [];
  const disconnected = options.adopt ? [] : affected.clients;
  const confirmed = options.confirmed || options.adopt;
  const hint = 'to add the connected clients too, use --adopt';
  const asked = confirm(deps, { ...options, confirmed }, { ...affected, clients: disconnected }, hint);
  const added = [...entries, ...adopted];
  const notes = [...keptNotes, ...asked, ...notesOfAdding(deps, entries, options.dryRun ? [] : disconnected)];
  const closedTunnels = tunnelsOf(deps, disconnected).length;
  if (!options.dryRun) {
    await saved(access.addEntries(added));
    for (const entry of added) deps.log.info(`whitelist: ${labelOf(entry)} added`);
  }
  return change({ added: added.map((entry) => shown(deps, entry)), closedTunnels, notes });
}

const keptNote = (count: number): string =>
  count === 1
    ? 'the client is already on the whitelist; its entry stays as it is'
    : `${count} clients are already on the whitelist; their entries stay as they are`;

function notesOfAdding(
  deps: Deps,
  entries: readonly WhitelistEntry[],
  disconnected: readonly AdmittedClient[],
): string[] {
  const { access } = deps;
  const [only] = entries;
  const who = entries.length === 1 && only !== undefined ? (only.alias ?? only.publicKey.short) : 'each client';
  const bans = new Set(access.bans.map(({ publicKey }) => publicKey.hex));
  const banned = entries.filter(({ publicKey }) => bans.has(publicKey.hex));
  const isSecret = access.secret !== undefined;
  const isFactor = entries.some(({ invited }) => !invited);
  return [
    ...notesOnServices(
      deps,
      entries.flatMap(({ allow }) => allow),
    ),
    ...(isFactor && isSecret && access.require === 'all' ? [`a secret is set too: ${who} needs both`] : []),
    ...(isFactor && isSecret && access.require === 'any'
      ? ['clients that have the secret are admitted too (access.require: any)']
      : []),
    ...(!isFactor || access.hasWhitelist || (isSecret && access.require === 'any')
      ? []
      : ['from now on only clients on the whitelist are admitted']),
    ...(disconnected.length === 0 ? [] : [`disconnected: ${namesOf(deps, disconnected)}`]),
    ...[...access.errors.values()].map((error) => `still no client is admitted: ${error}`),
    ...banned.map(({ publicKey, alias }) => {
      return `${alias ?? publicKey.short} is banned; to lift the ban: tuntoxctl bans clear ${publicKey.short}`;
    }),
  ];
}

async function edit(deps: Deps, params: Params<'whitelist.edit'>): Promise<Change> {
  const { access, engine, targets } = deps;
  const before = listedEntry(deps, params.client);
  const allow = params.allow === undefined ? undefined : allowOf(params.allow);
  const allowReverse = params.allowReverse === undefined ? undefined : allowReverseOf(params.allowReverse);
  const expiry = params.expiresAt == null ? undefined : expiryOf(deps, params.expiresAt);
  const edited = (entry: WhitelistEntry): WhitelistEntry => {
    const { name = entry.alias, note = entry.note } = params;
    const expiresAt = params.expiresAt === undefined ? entry.expiresAt : expiry;
    const { rate = entry.rate, maxTunnels = entry.maxTunnels } = params;
    const limits = { rate: rate ?? undefined, maxTunnels: maxTunnels ?? undefined };
    const ports = { allow: allow ?? entry.allow, allowReverse: allowReverse ?? entry.allowReverse };
    return { ...entry, alias: name ?? undefined, note, expiresAt, ...ports, ...limits };
  };
  const after = edited(before);
  const open = engine.tunnels
    .list()
    .filter(({ peerId, peerRole }) => peerRole === 'client' && peerId === before.publicKey.hex);
  const staying = open.filter((tunnel) => {
    if (tunnel.listener !== undefined) return mayListen(after.allowReverse ?? [], tunnel.listener);
    return targets.explain(tunnel.peerId, reachedBy(tunnel), after).isAllowed;
  });
  const closedTunnels = open.length - Math.min(staying.length, after.maxTunnels ?? staying.length);
  if (!params.dryRun) {
    await saved(access.changeEntry(before.publicKey, edited), nameOf(deps, before.publicKey));
    deps.log.info(`whitelist: ${labelOf(after)} changed`);
  } else checkAlias(aliasOwners(access.entries), after);
  const notes = notesOnServices(deps, allow ?? []);
  return change({ changed: [shown(deps, after)], closedTunnels, notes });
}

async function remove(deps: Deps, client: string, dryRun: boolean): Promise<Change> {
  const { access, admission } = deps;
  const entry = listedEntry(deps, client);
  const { publicKey } = entry;
  const after = withOverrides(access, {
    listing: (key) => (key.equals(publicKey) ? 'none' : access.listing(key)),
  });
  const disconnected = admission.affectedBy(after);
  const closedTunnels = tunnelsOf(deps, disconnected).length;
  const isIt = ({ id }: AdmittedClient): boolean => id === publicKey.hex;
  const isStaying = admission.clients.some(isIt) && !disconnected.some(isIt);
  const isLast = access.hasWhitelist && access.entries.length === 1;
  const hasOther = access.secret !== undefined && (access.require === 'any' || !access.hasWhitelist);
  const open = access.invitations.all.filter((one) => access.invitations.stateOf(one) === 'open');
  const ofIt = open.filter((one) => wasRedeemedBy(one, publicKey));
  const isLimited = entry.allow.length > 0 || entry.expiresAt !== undefined;
  if (!dryRun) {
    await saved(access.removeEntry(publicKey), nameOf(deps, publicKey));
    deps.log.info(`whitelist: ${labelOf(entry)} removed`);
  }
  const name = entry.alias ?? publicKey.short;
  const notes = [
    ...(isStaying
      ? [
          `${name} was admitted by the secret and stays connected; ` +
            `to prevent that: tuntoxctl secret rotate, then tuntoxctl clients kick ${publicKey.short}`,
        ]
      : []),
    ...(hasOther && isLimited
      ? [
          `the secret still admits ${name}${access.require === 'any' ? ' (access.require: any)' : ''}, without the limits of its entry; ` +
            `to prevent that: tuntoxctl secret rotate, or tuntoxctl clients kick ${publicKey.short} --for 30d`,
        ]
      : []),
    ...(isLast && !hasOther
      ? ['the whitelist is now empty and stays on, so no client is admitted; to turn it off: tuntoxctl whitelist off']
      : []),
    ...ofIt.map(({ id }) => `the link by which it came is still open for others: tuntoxctl invite revoke ${id}`),
  ];
  return change({ removed: [shown(deps, entry)], closedTunnels, notes });
}

async function off(deps: Deps, { confirmed, dryRun }: Params<'whitelist.off'>): Promise<Change> {
  const { access } = deps;
  if (!access.hasWhitelist) return change({ notes: ['the whitelist is already off'] });
  const entries = access.entries.filter(({ invited }) => !invited);
  const staying = access.entries.length - entries.length;
  const affected = affectedBy(deps, {
    door: { hasWhitelist: false },
    factors: { hasWhitelist: false, listing: (key) => (access.listing(key) === 'invited' ? 'invited' : 'none') },
  });
  if (entries.length > 0 && !confirmed && !dryRun) {
    const count = entries.length === 1 ? 'one entry' : `${entries.length} entries`;
    const { kinds } = affected;
    const more = kinds.length === 0 ? '' : `; ${noLongerAdmitted(kinds)}`;
    throw new ControlError('needs-confirmation', `this would remove ${count} from the whitelist${more}`, {
      hint: 'to save a copy: tuntoxctl whitelist export FILE',
    });
  }
  const asked = dryRun ? confirm(deps, { confirmed, dryRun }, affected) : [];
  const closedTunnels = tunnelsOf(deps, affected.clients).length;
  const removed = entries.map((entry) => shown(deps, entry));
  const notes = [
    ...asked,
    ...(staying === 0 ? [] : [`${countText(staying, 'client')} with an invitation: no change`]),
    noteWithout(access),
  ];
  if (!dryRun) {
    await saved(access.dropWhitelist());
    deps.log.info('whitelist: turned off');
  }
  return change({ removed, closedTunnels, notes });
}

function noteWithout({ secret, isOpen }: Deps['access']): string {
  if (secret !== undefined) return 'from now on every client that has the secret is admitted';
  if (isOpen) return 'from now on every client that knows the Tox ID is admitted (access.open)';
  return 'there is no secret either, so no client is admitted';
}

/** @throws ControlError */
function entryOf(deps: Deps, item: Item): WhitelistEntry {
  const { id, name, allow, allowReverse, rate, maxTunnels, expiresAt: expiry, note, invited = false } = item;
  const publicKey = newClient(id);
  if (publicKey.equals(deps.engine.id.publicKey)) {
    throw new ControlError('bad-params', "this is the daemon's own Tox ID", { hint: 'use the Tox ID of the client' });
  }
  const expiresAt = expiry === undefined ? undefined : expiryOf(deps, expiry);
  const addedAt = deps.clock.unixTime();
  const ports = { allow: allowOf(allow ?? []), allowReverse: allowReverseOf(allowReverse ?? []) };
  const given = { alias: name, ...ports, rate, maxTunnels, expiresAt, note: note ?? '' };
  return { publicKey, ...given, addedAt, invited };
}

/** Makes all entries or none. The message has the place of the item that is wrong. @throws ControlError */
function newEntries(deps: Deps, items: readonly Item[]): WhitelistEntry[] {
  const places = new Map<string, number>();
  const names = new Map<string, number>();
  return items.map((item, index) => {
    const place = index + 1;
    try {
      const entry = entryOf(deps, item);
      const { publicKey, alias } = entry;
      const twin = places.get(publicKey.hex) ?? (alias === undefined ? undefined : names.get(alias));
      if (twin !== undefined) throw new ControlError('bad-params', `it has the same key or name as entry ${twin}`);
      places.set(publicKey.hex, place);
      if (alias !== undefined) names.set(alias, place);
      return entry;
    } catch (error) {
      if (!(error instanceof ControlError)) throw error;
      const hint = error.hint === undefined ? {} : { hint: error.hint };
      throw new ControlError(error.code, `entry ${place}: ${error.message}`, { ...hint, cause: error });
    }
  });
}

/** @throws ControlError */
export function allowOf(texts: readonly string[]): WhitelistEntry['allow'] {
  try {
    return texts.map((text, index) => parseAllowed(text, index + 1));
  } catch (error) {
    throw asControlError(error);
  }
}

/** @throws ControlError */
export function allowReverseOf(texts: readonly string[]): NonNullable<WhitelistEntry['allowReverse']> {
  try {
    return texts.map(parseAllowedReverse);
  } catch (error) {
    throw asControlError(error);
  }
}

/** Returns the Unix time, s. @throws ControlError */
export function expiryOf({ clock }: Pick<Deps, 'clock'>, text: string): number {
  const expiresAt = unixTimeOfRfc3339(text);
  if (expiresAt === undefined) throw new ControlError('bad-params', `expiresAt: there is no time ${text}`);
  if (expiresAt > LAST_UNIX_TIME) {
    throw new ControlError('bad-params', `expiresAt: ${text} is too far in the future`, { hint: 'leave it out' });
  }
  if (expiresAt > clock.unixTime()) return expiresAt;
  throw new ControlError('bad-params', `expiresAt: ${text} is in the past`, { hint: 'use a later time' });
}

/** Saving would refuse the alias of another client. @throws ControlError */
function checkAlias(owners: ReturnType<typeof aliasOwners>, { alias, publicKey }: WhitelistEntry): void {
  const owner = alias === undefined ? undefined : owners.get(alias);
  if (owner === undefined || owner.equals(publicKey)) return;
  throw new ControlError('exists', `${owner.short} already has the name "${alias}"`, { hint: 'choose another name' });
}

/** @throws ControlError */
function listedEntry({ access, targets }: Deps, client: string): WhitelistEntry {
  return access.entry(findClient(keyAt({ targets }, client), access.entries)) as WhitelistEntry;
}

const adoptedEntry = ({ friend, admittedBy }: AdmittedClient, now: number): WhitelistEntry => ({
  publicKey: friend.publicKey,
  alias: undefined,
  allow: [],
  rate: undefined,
  maxTunnels: undefined,
  expiresAt: undefined,
  note: admittedBy === 'secret' ? 'adopted: was admitted by the secret' : 'adopted: was admitted by access.open',
  addedAt: now,
  invited: false,
});

const labelOf = ({ alias, publicKey }: WhitelistEntry): string => nameWithKey(publicKey.hex, alias);

const change = (part: Partial<Change>): Change => ({
  schema: 'tuntox.whitelist-change/1',
  added: [],
  changed: [],
  removed: [],
  closedTunnels: 0,
  notes: [],
  ...part,
});

const shown = ({ clock }: Pick<Deps, 'clock'>, entry: WhitelistEntry): Change['added'][number] => ({
  publicKey: keyText(entry.publicKey),
  name: entry.alias ?? null,
  allow: entry.allow.map(({ text }) => text),
  allowReverse: (entry.allowReverse ?? []).map(listenPermissionText),
  rate: entry.rate ?? null,
  maxTunnels: entry.maxTunnels ?? null,
  expiresAt: entry.expiresAt === undefined ? null : rfc3339(entry.expiresAt),
  note: entry.note,
  addedAt: rfc3339(entry.addedAt),
  expired: isExpired(entry, clock.unixTime()),
  invited: entry.invited,
});
