/** Finds the clients that people name, and names clients in answers. */
import { ControlError } from '../../control/control-error.js';
import type { Result } from '../../control/protocol.js';
import type { AdmittedClient } from '../../engine/server/client-admission.js';
import {
  type NamedClient,
  nameWithKey,
  parseClientId,
  SelectorError,
  selectClient,
} from '../../engine/server/client-names.js';
import type { MethodContext } from './context.js';

export type ClientName = Result<'ping'>['client'];
export type ClientKey = NamedClient['publicKey'];

type Clients = Pick<MethodContext, 'access' | 'admission' | 'targets'>;

/** Hex digits; a name is shorter. */
const KEY_LENGTH = 64;

/** Returns the key in lower case, as the control protocol writes it. */
export const keyText = (key: ClientKey): string => key.hex.toLowerCase();

export function clientName({ access }: Pick<Clients, 'access'>, key: ClientKey): ClientName {
  return { publicKey: keyText(key), name: access.entry(key)?.alias ?? null };
}

/** Returns the name of a client, or else the first digits of its key, for sentences. */
export const nameOf = ({ access }: Pick<Clients, 'access'>, key: ClientKey): string =>
  access.entry(key)?.alias ?? key.short;

/** Returns the name and the first digits of the key, for the log. */
export const logName = ({ access }: Pick<Clients, 'access'>, key: ClientKey): string =>
  nameWithKey(key.hex, access.entry(key)?.alias);

/** Returns the clients on the whitelist, and those that were admitted without it. */
function knownClients({ access, admission }: Clients): NamedClient[] {
  const admitted = admission.clients.map(({ friend }) => ({ publicKey: friend.publicKey, alias: undefined }));
  return [...access.entries, ...admitted];
}

/** Whether the text selects a known client. */
export function isKnown(clients: Clients, text: string): boolean {
  try {
    findKnown(clients, text);
    return true;
  } catch {
    return false;
  }
}

/** @throws ControlError `not-found`, `ambiguous`, `bad-params` */
export const findClient = (text: string, among: Iterable<NamedClient>): ClientKey =>
  withControlErrors(() => selectClient(text, among).publicKey);

/** Finds a client on the whitelist, or one that was admitted. @throws ControlError */
export const findKnown = (clients: Clients, text: string): ClientKey =>
  findClient(keyAt(clients, text), knownClients(clients));

/** Replaces an address of a client by its key; any other text stays. @throws ControlError */
export function keyAt({ targets }: Pick<Clients, 'targets'>, text: string): string {
  if (!/^127\.[0-9.]+$/.test(text)) return text;
  const key = targets.clientAt(text);
  if (key !== undefined) return key;
  throw new ControlError('not-found', `no client has the address ${text}`, {
    hint: 'to list the addresses of clients: tuntoxctl clients list',
  });
}

/** Finds a known or banned client, or any other by its whole Tox ID or key. @throws ControlError */
export function findAnyClient(clients: Clients, given: string): ClientKey {
  const text = keyAt(clients, given);
  if (text.length >= KEY_LENGTH) return newClient(text);
  const banned = clients.access.bans.map(({ publicKey }) => ({ publicKey, alias: undefined }));
  return findClient(text, [...knownClients(clients), ...banned]);
}

/** Finds a client that has connected since the start. @throws ControlError */
export function findAdmitted(clients: Clients, text: string): AdmittedClient {
  const key = findKnown(clients, text);
  const client = clients.admission.clients.find(({ id }) => id === key.hex);
  if (client !== undefined) return client;
  throw new ControlError('away', `${nameOf(clients, key)} has not connected since the daemon started`, {
    hint: 'to list the clients that have: tuntoxctl clients list',
  });
}

/** Parses a whole Tox ID or key. @throws ControlError that says what is wrong with it */
export const newClient = (text: string): ClientKey => withControlErrors(() => parseClientId(text));

function withControlErrors(find: () => ClientKey): ClientKey {
  try {
    return find();
  } catch (error) {
    if (!(error instanceof SelectorError)) throw error;
    const hint = error.hint === undefined ? {} : { hint: error.hint };
    throw new ControlError(error.code === 'bad-id' ? 'bad-params' : error.code, error.message, hint);
  }
}
