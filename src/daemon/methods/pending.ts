/** `clients.pending` and `clients.approve`: clients that asked to be admitted and were refused. */
import { rfc3339 } from '../../base/clock.js';
import { Endpoint } from '../../base/endpoint.js';
import { FormatError } from '../../config/format-error.js';
import { keyWords, parseKeyWords } from '../../config/words.js';
import { ControlError } from '../../control/control-error.js';
import type { MethodHandlers, Params, Result } from '../../control/protocol.js';
import type { PendingClient } from '../../engine/server/pending-clients.js';
import { clientName, findClient, isKnown, nameOf } from './client-names.js';
import { asControlError } from './save-errors.js';
import { addClient } from './whitelist.js';

type Deps = Parameters<typeof addClient>[0];
type Shown = Result<'clients.pending'>['clients'][number];
type Source = Shown['via'];

const LIST = 'to list the clients that asked: tuntoxctl clients pending';
const RELAY = 'relay ';
/** Of a key. */
const WORDS = 6;

export function pendingMethods(deps: Deps): Pick<MethodHandlers, 'clients.pending' | 'clients.approve'> {
  return {
    'clients.pending': async () => ({
      schema: 'tuntox.pending/1',
      clients: await Promise.all(deps.admission.pending.map((client) => shown(deps, client))),
    }),
    'clients.approve': (params) => approve(deps, params),
  };
}

/** Puts the client on the whitelist, which admits it at once unless something else is missing. */
async function approve(
  deps: Deps,
  { client, ...options }: Params<'clients.approve'>,
): Promise<Result<'clients.approve'>> {
  const { access, admission } = deps;
  const pending = await findPending(deps, client);
  const { publicKey } = pending;
  if (access.entry(publicKey) !== undefined) throw alreadyListed(deps, pending);
  const change = await addClient(deps, { ...options, id: publicKey.hex, ifAbsent: false });
  const isAdmitted = admission.clients.some(({ id }) => id === publicKey.hex);
  const name = options.name ?? publicKey.short;
  return {
    schema: 'tuntox.approved/1',
    client: { ...clientName(deps, publicKey), name: options.name ?? null },
    words: await keyWords(publicKey),
    admitted: isAdmitted,
    change: { ...change, notes: [...change.notes, ...(isAdmitted ? [] : notesOfWaiting(deps, pending, name))] },
  };
}

/** Says what a client still needs that is, or would be, on the whitelist. */
function notesOfWaiting({ access, admission }: Deps, pending: PendingClient, name: string): string[] {
  const needsSecret = access.secret !== undefined && access.require === 'all';
  if (needsSecret && !pending.hasSentSecret) {
    return [
      `${name} sent no secret, so it is not admitted yet: give it the secret, which its owner passes to tuntox with -s or ` +
        '--secret-file, or an invitation, with which it needs no secret: tuntoxctl invite create',
    ];
  }
  if (needsSecret) return [`${name} sent a secret, and is admitted as soon as it sends the right one`];
  const isFull = pending.reason === 'full' && admission.clients.length > 0;
  return isFull ? [`${name} has to wait until a client leaves: the daemon has its maximum number of clients`] : [];
}

function alreadyListed(deps: Deps, { publicKey, reason, hasSentSecret }: PendingClient): ControlError {
  const { access } = deps;
  const name = nameOf(deps, publicKey);
  const listed = `${name} is already on the whitelist`;
  const error = (message: string, hint: string): ControlError => new ControlError('exists', message, { hint });
  if (access.isBanned(publicKey))
    return error(`${listed}, but banned`, `to lift the ban: tuntoxctl bans clear ${name}`);
  if (access.listing(publicKey) === 'expired') {
    return error(
      `${listed}, but its access has expired`,
      `to renew it: tuntoxctl whitelist edit ${name} --expires 30d`,
    );
  }
  if (reason === 'full')
    return error(`${listed}, but the daemon has its maximum number of clients`, 'disconnect another');
  if (access.secret === undefined || access.require === 'any')
    return error(listed, 'it is admitted when it asks again');
  const missing = hasSentSecret ? 'sent a wrong secret' : 'sent no secret';
  return error(
    `${listed}, but ${missing}, and clients need both (access.require: all)`,
    'give it the secret, or an invitation: tuntoxctl invite create',
  );
}

/** @param text as every selector, or the six words of the key @throws ControlError */
async function findPending(deps: Deps, text: string): Promise<PendingClient> {
  const { access, admission } = deps;
  const { pending } = admission;
  if (/[\s,]/.test(text.trim()) || text.split('-').length === WORDS) return findByWords(pending, text);
  const named = pending.map(({ publicKey }) => ({ publicKey, alias: access.entry(publicKey)?.alias }));
  try {
    const key = findClient(text, named);
    return pending.find(({ publicKey }) => publicKey.equals(key)) as PendingClient;
  } catch (error) {
    if (!(error instanceof ControlError) || error.code !== 'not-found') throw error;
    if (isKnown(deps, text)) {
      throw new ControlError('exists', `${text} is not waiting: it is on the whitelist, or was admitted`, {
        hint: 'to see it: tuntoxctl clients list, tuntoxctl whitelist list',
      });
    }
    const hint = error.hint?.startsWith('did you mean') === true ? error.hint : hintFor(text);
    throw new ControlError('not-found', `no client "${text}" has asked to be admitted`, { hint, cause: error });
  }
}

function hintFor(text: string): string {
  if (/^[0-9a-f]{1,5}$/i.test(text)) return `of a key, at least 6 digits are needed; ${LIST}`;
  const isWhole = /^[0-9a-f]{64}([0-9a-f]{12})?$/i.test(text);
  return isWhole ? `to admit it anyway: tuntoxctl whitelist add ${text}` : LIST;
}

/** All words are needed: it costs little to make a key with the same first two. @throws ControlError */
async function findByWords(pending: readonly PendingClient[], text: string): Promise<PendingClient> {
  const words = await parseKeyWords(text).catch((error: unknown) => {
    if (error instanceof FormatError) throw new ControlError('bad-params', error.message, { hint: LIST, cause: error });
    throw asControlError(error);
  });
  const all = await Promise.all(pending.map(({ publicKey }) => keyWords(publicKey)));
  const [client, twin] = pending.filter((_, index) => all[index] === words);
  if (twin !== undefined) {
    const hint = `do not trust the words: compare the whole key, which "tuntox id" prints for the client, and approve that; ${LIST}`;
    throw new ControlError('ambiguous', `two clients with the words "${words}" have asked to be admitted`, { hint });
  }
  if (client !== undefined) return client;
  throw new ControlError('not-found', `no client with the words "${words}" has asked to be admitted`, { hint: LIST });
}

async function shown(deps: Deps, client: PendingClient): Promise<Shown> {
  const { publicKey, reason, firstAt, lastAt, requests, source, hasSentSecret } = client;
  return {
    client: clientName(deps, publicKey),
    words: await keyWords(publicKey),
    firstAt: rfc3339(firstAt),
    lastAt: rfc3339(lastAt),
    requests,
    reason,
    sentSecret: hasSentSecret,
    via: viaOf(source),
  };
}

/** @param source see `FriendRequest` */
function viaOf(source: string): Source {
  if (source.startsWith(RELAY)) return { kind: 'relay', publicKey: source.slice(RELAY.length).toLowerCase() };
  const colon = source.lastIndexOf(':');
  const host = source.slice(0, Math.max(0, colon)).replace(/^\[|\]$/g, '');
  const endpoint = Endpoint.of(host, Number(source.slice(colon + 1)));
  if (endpoint === undefined) return { kind: 'other' };
  return { kind: 'node', address: endpoint.key, local: endpoint.isLan };
}
