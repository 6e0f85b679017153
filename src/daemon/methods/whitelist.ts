/** `whitelist`: who gets in by name. A change says first what it would do to those who are here. */
import { LAST_UNIX_TIME } from '../../base/clock.js';
import { ControlError } from '../../control/control-error.js';
import type { MethodHandlers } from '../../control/method-handlers.js';
import type { Params, Result } from '../../control/protocol.js';
import { withOverrides } from '../../engine/access/policy-overrides.js';
import { aliasOwners, isExpired, parseAllowed, type WhitelistEntry } from '../../engine/access/whitelist.js';
import type { AdmittedClient } from '../../engine/server/client-admission.js';
import { peerName } from '../../engine/server/peer-name.js';
import { findClient, keyText, nameOf, newClient } from './clients-by-name.js';
import type { MethodContext } from './context.js';
import { confirm, namesOf, shutOutIf, tunnelsOf } from './leaving.js';
import { asControlError, saved } from './saving.js';

type Deps = Pick<MethodContext, 'access' | 'clock' | 'admission' | 'engine' | 'log' | 'policy' | 'targets'>;
type Change = Result<'whitelist.add'>;
type Item = Params<'whitelist.import'>['items'][number];
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
    'whitelist.list': () => ({
      schema: 'tuntox.whitelist/1',
      isOn: access.hasWhitelist,
      entries: access.entries.map((entry) => shown(deps, entry)),
    }),
    'whitelist.add': ({ confirmed, adopt, ifAbsent, dryRun, ...item }) =>
      add(deps, [entryOf(deps, item)], { confirmed, adopt, ifAbsent, dryRun }),
    'whitelist.import': ({ items, ...options }) => add(deps, newEntries(deps, items), { ...options, adopt: false }),
    'whitelist.edit': (params) => edit(deps, params),
    'whitelist.remove': ({ client, dryRun }) => remove(deps, client, dryRun),
    'whitelist.off': (params) => off(deps, params),
  };
}

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
  if (entries.length === 0) return change({ notes: kept === 0 ? ['there was nothing to add'] : keptNotes });
  const owners = aliasOwners(access.entries);
  for (const entry of entries) {
    const { publicKey, alias } = entry;
    checkAlias(owners, entry);
    if (access.entry(publicKey) === undefined) continue;
    throw new ControlError('exists', `${alias ?? publicKey.short} is on the whitelist already`, {
      hint: `tuntoxctl whitelist edit ${nameOf(deps, publicKey)} changes it`,
    });
  }
  const listed = new Set(entries.map(({ publicKey }) => publicKey.hex));
  const isListed = (key: WhitelistEntry['publicKey']): boolean => listed.has(key.hex) || access.isListed(key);
  const lost = shutOutIf(deps, { door: { hasWhitelist: true }, factors: { hasWhitelist: true, isListed } });
  const adopted = options.adopt ? lost.guests.map((guest) => adoptedEntry(guest, clock.unixTime())) : [];
  const shutOut = options.adopt ? [] : lost.guests;
  const confirmed = options.confirmed || options.adopt;
  const hint = '--adopt puts the clients that are here on the list as well';
  const asked = confirm(deps, { ...options, confirmed }, { ...lost, guests: shutOut }, hint);
  const added = [...entries, ...adopted];
  const notes = [...keptNotes, ...asked, ...notesOfAdding(deps, entries, options.dryRun ? [] : shutOut)];
  const closedTunnels = tunnelsOf(deps, shutOut).length;
  if (!options.dryRun) {
    await saved(access.addEntries(added));
    for (const entry of added) deps.log.info(`whitelist: ${labelOf(entry)} added`);
  }
  return change({ added: added.map((entry) => shown(deps, entry)), closedTunnels, notes });
}

const keptNote = (count: number): string =>
  count === 1
    ? 'it is on the whitelist already, and stays as it is'
    : `${count} are on the whitelist already, and stay as they are`;

function notesOfAdding(deps: Deps, entries: readonly WhitelistEntry[], shutOut: readonly AdmittedClient[]): string[] {
  const { access } = deps;
  const [only] = entries;
  const who = entries.length === 1 && only !== undefined ? (only.alias ?? only.publicKey.short) : 'each of them';
  const bans = new Set(access.bans.map(({ publicKey }) => publicKey.hex));
  const banned = entries.filter(({ publicKey }) => bans.has(publicKey.hex));
  const isSecret = access.secret !== undefined;
  return [
    ...(isSecret && access.require === 'all' ? [`there is a secret too: ${who} needs both`] : []),
    ...(isSecret && access.require === 'any' ? ['the secret alone lets in as well (access.require: any)'] : []),
    ...(access.hasWhitelist || (isSecret && access.require === 'any')
      ? []
      : ['from now on only clients on the whitelist get in']),
    ...(shutOut.length === 0 ? [] : [`shut out: ${namesOf(deps, shutOut)}`]),
    ...access.faults.map((fault) => `still nobody gets in: ${fault}`),
    ...banned.map(({ publicKey, alias }) => {
      return `${alias ?? publicKey.short} is banned and stays out until you run tuntoxctl bans clear ${publicKey.short}`;
    }),
  ];
}

async function edit(deps: Deps, params: Params<'whitelist.edit'>): Promise<Change> {
  const { access, clock, engine, targets } = deps;
  const before = listedEntry(deps, params.client);
  const allow = params.allow === undefined ? undefined : allowOf(params.allow);
  const edited = (entry: WhitelistEntry): WhitelistEntry => {
    const { name = entry.alias, note = entry.note, expiresAt = entry.expiresAt } = params;
    return {
      ...entry,
      alias: name ?? undefined,
      note,
      expiresAt: expiresAt ?? undefined,
      allow: allow ?? entry.allow,
    };
  };
  const after = edited(before);
  if (params.expiresAt !== undefined) checkExpiry(params.expiresAt, clock.unixTime());
  const closing = engine.tunnels
    .list()
    .filter(({ peerId, direction }) => direction === 'accepted' && peerId === before.publicKey.hex)
    .filter(({ peerId, target, remoteAddress }) => {
      return !targets.explain(peerId, { ...target, address: remoteAddress }, after).isAllowed;
    });
  if (!params.dryRun) {
    await saved(access.changeEntry(before.publicKey, edited), nameOf(deps, before.publicKey));
    deps.log.info(`whitelist: ${labelOf(after)} changed`);
  } else checkAlias(aliasOwners(access.entries), after);
  return change({ changed: [shown(deps, after)], closedTunnels: closing.length });
}

async function remove(deps: Deps, client: string, dryRun: boolean): Promise<Change> {
  const { access, admission } = deps;
  const entry = listedEntry(deps, client);
  const { publicKey } = entry;
  const after = withOverrides(access, { isListed: (key) => !key.equals(publicKey) && access.isListed(key) });
  const leaving = admission.leaving(after);
  const closedTunnels = tunnelsOf(deps, leaving).length;
  const isHere = ({ id }: AdmittedClient): boolean => id === publicKey.hex;
  const isStaying = admission.guests.some(isHere) && !leaving.some(isHere);
  const isLast = access.entries.length === 1;
  const hasOther = access.secret !== undefined && access.require === 'any';
  const isLimited = entry.allow.length > 0 || entry.expiresAt !== undefined;
  if (!dryRun) {
    await saved(access.removeEntry(publicKey), nameOf(deps, publicKey));
    deps.log.info(`whitelist: ${labelOf(entry)} removed`);
  }
  const name = entry.alias ?? publicKey.short;
  const notes = [
    ...(isStaying
      ? [`${name} came by the secret, and stays: tuntoxctl secret rotate, then clients kick ${publicKey.short}`]
      : []),
    ...(hasOther && isLimited
      ? [
          `${name} can still come in with the secret (access.require: any), without the limits of its entry: ` +
            `tuntoxctl secret rotate, or tuntoxctl clients kick ${publicKey.short} --for 30d`,
        ]
      : []),
    ...(isLast && !hasOther
      ? ['the whitelist is empty now and stays on: nobody gets in. tuntoxctl whitelist off switches it off']
      : []),
  ];
  return change({ removed: [shown(deps, entry)], closedTunnels, notes });
}

async function off(deps: Deps, { confirmed, dryRun }: Params<'whitelist.off'>): Promise<Change> {
  const { access } = deps;
  if (!access.hasWhitelist) return change({ notes: ['the whitelist was off already'] });
  const { entries } = access;
  const lost = shutOutIf(deps, {
    door: { hasWhitelist: false },
    factors: { hasWhitelist: false, isListed: () => false },
  });
  if (entries.length > 0 && !confirmed && !dryRun) {
    const count = entries.length === 1 ? 'one entry' : `${entries.length} entries`;
    const { kinds } = lost;
    const more = kinds.length === 0 ? '' : `, and shut out ${kinds.join(', and ')}`;
    throw new ControlError('needs-confirmation', `this would remove ${count} from the whitelist${more}`, {
      hint: 'tuntoxctl whitelist export keeps a copy',
    });
  }
  const asked = dryRun ? confirm(deps, { confirmed, dryRun }, lost) : [];
  const closedTunnels = tunnelsOf(deps, lost.guests).length;
  const removed = entries.map((entry) => shown(deps, entry));
  const notes = [...asked, noteWithout(access)];
  if (!dryRun) {
    await saved(access.dropWhitelist());
    deps.log.info('whitelist: switched off');
  }
  return change({ removed, closedTunnels, notes });
}

function noteWithout({ secret, isOpen }: Deps['access']): string {
  if (secret !== undefined) return 'from now on everybody who has the secret gets in';
  if (isOpen) return 'from now on everybody who knows the Tox ID gets in (access.open)';
  return 'there is no secret either, so nobody gets in';
}

/** @throws ControlError */
function entryOf({ engine, clock }: Deps, { id, name, allow, expiresAt, note }: Item): WhitelistEntry {
  const publicKey = newClient(id);
  if (publicKey.equals(engine.id.publicKey)) {
    throw new ControlError('bad-params', "that is the daemon's own Tox ID", { hint: 'give the one of the client' });
  }
  const now = clock.unixTime();
  if (expiresAt !== undefined) checkExpiry(expiresAt, now);
  return { publicKey, alias: name, allow: allowOf(allow ?? []), expiresAt, note: note ?? '', addedAt: now };
}

/** All or none: what is wrong with one is said with its place. @throws ControlError */
function newEntries(deps: Deps, items: readonly Item[]): WhitelistEntry[] {
  const places = new Map<string, number>();
  const names = new Map<string, number>();
  return items.map((item, index) => {
    const place = index + 1;
    try {
      const entry = entryOf(deps, item);
      const { publicKey, alias } = entry;
      const twin = places.get(publicKey.hex) ?? (alias === undefined ? undefined : names.get(alias));
      if (twin !== undefined) throw new ControlError('bad-params', `it has the key or the name of entry ${twin}`);
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
function allowOf(texts: readonly string[]): WhitelistEntry['allow'] {
  try {
    return texts.map((text, index) => parseAllowed(text, index + 1));
  } catch (error) {
    throw asControlError(error);
  }
}

/** @throws ControlError */
function checkExpiry(expiresAt: number | null, now: number): void {
  if (expiresAt === null || (expiresAt > now && expiresAt <= LAST_UNIX_TIME)) return;
  if (expiresAt > now) throw new ControlError('bad-params', 'that time is too far away', { hint: 'leave it out' });
  throw new ControlError('bad-params', 'that time is over already', { hint: 'write a later one, as in --expires 30d' });
}

/** What saving would refuse. @throws ControlError */
function checkAlias(owners: ReturnType<typeof aliasOwners>, { alias, publicKey }: WhitelistEntry): void {
  const owner = alias === undefined ? undefined : owners.get(alias);
  if (owner === undefined || owner.equals(publicKey)) return;
  throw new ControlError('exists', `the name "${alias}" belongs to ${owner.short}`);
}

/** @throws ControlError */
function listedEntry({ access }: Deps, client: string): WhitelistEntry {
  return access.entry(findClient(client, access.entries)) as WhitelistEntry;
}

const adoptedEntry = ({ friend, admittedBy }: AdmittedClient, now: number): WhitelistEntry => ({
  publicKey: friend.publicKey,
  alias: undefined,
  allow: [],
  expiresAt: undefined,
  note: admittedBy === 'secret' ? 'adopted: came by the secret' : 'adopted: came through the open door',
  addedAt: now,
});

/** For the log. */
const labelOf = ({ alias, publicKey }: WhitelistEntry): string => peerName(publicKey.hex, alias);

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
  alias: entry.alias ?? null,
  allow: entry.allow.map(({ text }) => text),
  expiresAt: entry.expiresAt ?? null,
  note: entry.note,
  addedAt: entry.addedAt,
  isExpired: isExpired(entry, clock.unixTime()),
});
