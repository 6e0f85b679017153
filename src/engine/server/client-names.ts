/**
 * The names of clients. People name a client by its alias, the first digits of its key (6 or more, if they are unique), the whole
 * key, or a whole Tox ID. An alias has priority, because a name such as `cafe` could be digits as well.
 */
import { CodedError } from '../../base/coded-error.js';
import { withoutCopyMarks } from '../../base/copied-text.js';
import { nearest } from '../../base/nearest.js';
import { shortKey } from '../../base/short-key.js';
import { FormatError } from '../../config/format-error.js';
import { parseToxId } from '../../config/formats.js';
import { PublicKey } from '../../tox/crypto/keys.js';

export interface NamedClient {
  readonly publicKey: PublicKey;
  readonly alias: string | undefined;
}

/** The message is one sentence; `hint` says what to do next. */
export class SelectorError extends CodedError<'not-found' | 'ambiguous' | 'bad-id'> {
  readonly hint: string | undefined;

  constructor(code: 'not-found' | 'ambiguous' | 'bad-id', message: string, hint?: string) {
    super(code, message);
    this.hint = hint;
  }
}

const MIN_PREFIX = 6;
/** Hex digits. */
const KEY_LENGTH = 64;
const ID_LENGTH = 76;
/** An error about an ambiguous name lists at most so many clients. */
const MAX_LISTED = 5;

/** Finds a client by what a person typed. @param clients the candidates, which may list a key twice @throws SelectorError */
export function selectClient(text: string, clients: Iterable<NamedClient>): NamedClient {
  const byKey = new Map<string, NamedClient>();
  for (const client of clients) {
    const known = byKey.get(client.publicKey.hex);
    if (known?.alias === undefined) byKey.set(client.publicKey.hex, client);
  }
  const all = [...byKey.values()];
  const named = all.find(({ alias }) => alias === text);
  if (named !== undefined) return named;
  const digits = text.toUpperCase();
  if (!/^[0-9A-F]+$/.test(digits) || digits.length < MIN_PREFIX) throw notFound(text, all);
  if (digits.length >= KEY_LENGTH) return byWholeKey(text, byKey);
  const matches = all.filter(({ publicKey }) => publicKey.hex.startsWith(digits));
  const [only] = matches;
  if (only === undefined) throw notFound(text, all);
  if (matches.length === 1) return only;
  throw new SelectorError(
    'ambiguous',
    `"${text}" matches ${matches.length} clients`,
    `type more digits of one of them: ${listOf(matches)}`,
  );
}

/**
 * Parses a new client: a whole Tox ID, or a whole key.
 * @throws SelectorError `bad-id` that says what is wrong
 */
export function parseClientId(copied: string): PublicKey {
  const text = withoutCopyMarks(copied);
  try {
    const key = text.length === KEY_LENGTH ? PublicKey.parse(text) : undefined;
    if (key !== undefined) return key;
    if (/^[0-9a-fA-F]+$/.test(text) && text.length !== ID_LENGTH) {
      const what = `a Tox ID has ${ID_LENGTH} hex digits and a public key ${KEY_LENGTH}, this one has ${text.length}`;
      throw new FormatError(`${what}: copy all of it`);
    }
    return parseToxId(text).publicKey;
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    throw new SelectorError(
      'bad-id',
      error.message,
      'the client shows its Tox ID, of which the first 64 digits are its public key; tuntoxctl clients pending has those of clients that were refused',
    );
  }
}

/** @throws SelectorError */
function byWholeKey(text: string, byKey: ReadonlyMap<string, NamedClient>): NamedClient {
  const publicKey = parseClientId(text);
  const known = byKey.get(publicKey.hex);
  if (known !== undefined) return known;
  throw new SelectorError('not-found', `there is no client with the key ${publicKey.short}…`, 'tuntoxctl clients list');
}

function notFound(text: string, all: readonly NamedClient[]): SelectorError {
  const names = all.flatMap(({ alias }) => (alias === undefined ? [] : [alias]));
  const near = nearest(text, names) ?? startingWith(text, names) ?? nearestPrefix(text, all);
  const shown = text.length > ID_LENGTH ? `${text.slice(0, ID_LENGTH)}…` : text;
  const isShort = /^[0-9a-fA-F]{1,5}$/.test(text);
  const what = isShort ? ` (of a key, at least ${MIN_PREFIX} digits are needed)` : '';
  return new SelectorError(
    'not-found',
    `there is no client "${shown}"${what}`,
    near === undefined ? undefined : `did you mean "${near}"?`,
  );
}

/** An alias cannot be shortened as a key can, so this is a suggestion. */
const startingWith = (text: string, names: readonly string[]): string | undefined =>
  names.find((name) => name.toLowerCase().startsWith(text.toLowerCase()));

/** Suggests a key for digits with a mistake in them. */
function nearestPrefix(text: string, all: readonly NamedClient[]): string | undefined {
  if (!/^[0-9a-fA-F]{6,}$/.test(text)) return undefined;
  const prefixes = new Map(all.map(({ publicKey }) => [publicKey.hex.slice(0, text.length), publicKey.short]));
  const near = nearest(text.toUpperCase(), prefixes.keys());
  return near === undefined ? undefined : prefixes.get(near);
}

function listOf(clients: readonly NamedClient[]): string {
  const names = clients.slice(0, MAX_LISTED).map(({ alias, publicKey }) => {
    return alias === undefined ? publicKey.hex.slice(0, 16) : `${alias} (${publicKey.short})`;
  });
  return `${names.join(', ')}${clients.length > MAX_LISTED ? ', …' : ''}`;
}

/** Returns how the log names a client: its alias, if it has one, and the first digits of its key. @param id public key in hex */
export const nameWithKey = (id: string, alias: string | undefined): string =>
  alias === undefined ? shortKey(id) : `${alias} ${shortKey(id)}`;
