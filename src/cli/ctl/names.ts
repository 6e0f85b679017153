/** Clients, keys and places as people see them. Pure. */
import type { Result } from '../../control/protocol.js';

type ClientName = Pick<Result<'ping'>['client'], 'alias' | 'publicKey'>;
type Target = Result<'rules.check'>['target'];

/** Hex digits of a key. */
const SHORT_KEY = 8;
const ID_END = 5;

export const shortKey = (publicKey: string): string => publicKey.slice(0, SHORT_KEY).toUpperCase();

/** The alias, which may be missing, and the beginning of the key. */
export const nameOf = ({ alias, publicKey }: ClientName): string =>
  alias === null ? shortKey(publicKey) : `${alias} ${shortKey(publicKey)}`;

/** Two cells. */
export const nameCells = ({ alias, publicKey }: ClientName): [string, string] => [alias ?? '-', shortKey(publicKey)];
export const NAME_COLUMNS = [
  { heading: 'CLIENT', narrowest: 6 },
  { heading: '', gap: 1 },
] as const;

/** The ends of a Tox ID. */
export const shortId = (toxId: string): string => `${toxId.slice(0, SHORT_KEY)}…${toxId.slice(-ID_END)}`;

export const targetText = ({ host, port }: Target): string =>
  host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;

/** What a client may reach besides what the rules say. */
export const allowText = (allow: readonly string[]): string => (allow.length === 0 ? 'any' : allow.join(' '));
