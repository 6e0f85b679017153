/** Clients, keys and targets as text for people. Pure. */
import type { Result } from '../../control/protocol.js';

type ClientName = Pick<Result<'ping'>['client'], 'alias' | 'publicKey'>;
type Target = Result<'rules.check'>['target'];

/** Hex digits shown of a key. */
const SHORT_KEY = 8;
const ID_END = 5;

export const shortKey = (publicKey: string): string => publicKey.slice(0, SHORT_KEY).toUpperCase();

/** Returns the alias, if there is one, and the beginning of the key. */
export const nameOf = ({ alias, publicKey }: ClientName): string =>
  alias === null ? shortKey(publicKey) : `${alias} ${shortKey(publicKey)}`;

/** Returns the cells below NAME_COLUMNS. */
export const nameCells = ({ alias, publicKey }: ClientName): [string, string] => [alias ?? '-', shortKey(publicKey)];
export const NAME_COLUMNS = [
  { heading: 'CLIENT', narrowest: 6 },
  { heading: '', gap: 1 },
] as const;

/** Returns both ends of a Tox ID. */
export const shortId = (toxId: string): string => `${toxId.slice(0, SHORT_KEY)}…${toxId.slice(-ID_END)}`;

export const targetText = ({ host, port }: Target): string =>
  host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;

/** Describes the targets of a whitelist entry. */
export const allowText = (allow: readonly string[]): string => (allow.length === 0 ? 'any' : allow.join(' '));
