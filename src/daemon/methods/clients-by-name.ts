/** Clients as people name them and as lists show them. */
import { ControlError } from '../../control/control-error.js';
import type { Result } from '../../control/protocol.js';
import type { AdmittedClient } from '../../engine/server/client-admission.js';
import { type NamedClient, parseClientId, SelectorError, selectClient } from '../../engine/server/client-selector.js';
import { peerName } from '../../engine/server/peer-name.js';
import type { MethodContext } from './context.js';

export type ClientName = Result<'ping'>['client'];
/** A key of the engine; its class is of the layer below. */
export type ClientKey = NamedClient['publicKey'];

/** What a method needs for it. */
export type Clients = Pick<MethodContext, 'access' | 'admission'>;

/** Hex digits. */
const KEY_LENGTH = 64;

/** Keys are lower case in the protocol. */
export const keyText = (key: ClientKey): string => key.hex.toLowerCase();

export function clientName({ access }: Pick<Clients, 'access'>, key: ClientKey): ClientName {
  return { publicKey: keyText(key), alias: access.entry(key)?.alias ?? null };
}

/** For sentences: its alias, or the digits by which people know it. */
export const nameOf = ({ access }: Pick<Clients, 'access'>, key: ClientKey): string =>
  access.entry(key)?.alias ?? key.short;

/** For the log: both. */
export const logName = ({ access }: Pick<Clients, 'access'>, key: ClientKey): string =>
  peerName(key.hex, access.entry(key)?.alias);

/** Those on the whitelist, and those who are here by other ways. */
export function knownClients({ access, admission }: Clients): NamedClient[] {
  const guests = admission.guests.map(({ friend }) => ({ publicKey: friend.publicKey, alias: undefined }));
  return [...access.entries, ...guests];
}

/** Whether it is the name or the key of a client, in whatever form. */
export function isKnown(clients: Clients, text: string): boolean {
  try {
    selectClient(text, knownClients(clients));
    return true;
  } catch {
    return false;
  }
}

/** @throws ControlError `not-found`, `ambiguous`, `bad-params` */
export function findClient(text: string, among: Iterable<NamedClient>): ClientKey {
  try {
    return selectClient(text, among).publicKey;
  } catch (error) {
    throw asControlError(error);
  }
}

/** Anybody: one that is known, also for being banned, or whom a whole Tox ID or key names. @throws ControlError */
export function findAnybody(clients: Clients, text: string): ClientKey {
  // An alias is shorter.
  if (text.length >= KEY_LENGTH) return newClient(text);
  const banned = clients.access.bans.map(({ publicKey }) => ({ publicKey, alias: undefined }));
  return findClient(text, [...knownClients(clients), ...banned]);
}

/** Who was let in. @throws ControlError */
export function findAdmitted(clients: Clients, text: string): AdmittedClient {
  const key = findClient(text, knownClients(clients));
  const guest = clients.admission.guests.find(({ id }) => id === key.hex);
  if (guest !== undefined) return guest;
  throw new ControlError('away', `${nameOf(clients, key)} has not come since the daemon was started`, {
    hint: 'tuntoxctl clients list shows who has',
  });
}

/** A whole Tox ID, or a whole key. @throws ControlError that says what is wrong in it */
export function newClient(text: string): ClientKey {
  try {
    return parseClientId(text);
  } catch (error) {
    throw asControlError(error);
  }
}

function asControlError(error: unknown): unknown {
  if (!(error instanceof SelectorError)) return error;
  const hint = error.hint === undefined ? {} : { hint: error.hint };
  return new ControlError(error.code === 'bad-id' ? 'bad-params' : error.code, error.message, hint);
}
