/** The file of `whitelist import` and `export`: JSON as we write it, or a line for each client. */
import { withoutCopyMarks } from '../../base/copied-text.js';
import type { ParamsIn, Result } from '../../control/protocol.js';
import { usage } from './ctl-error.js';

type Item = ParamsIn<'whitelist.import'>['items'][number];
type Entry = Result<'whitelist.list'>['entries'][number];

export interface WhitelistExport {
  readonly schema: 'tuntox.whitelist-export/1';
  readonly items: readonly Item[];
}

/** Of the protocol: clients in one order. */
const MOST_ITEMS = 1_000;

export function exportOf(entries: readonly Entry[]): WhitelistExport {
  return {
    schema: 'tuntox.whitelist-export/1',
    items: entries.map(({ publicKey, alias, allow, expiresAt, note }) => ({
      id: publicKey,
      ...(alias === null ? {} : { name: alias }),
      ...(allow.length === 0 ? {} : { allow }),
      ...(expiresAt === null ? {} : { expiresAt }),
      ...(note === '' ? {} : { note }),
    })),
  };
}

/** @param name of the file, for messages. @throws CtlError `usage` with the place of what is wrong */
export function parseWhitelistFile(text: string, name: string): Item[] {
  const items = text.trimStart().startsWith('{') ? itemsOfJson(text, name) : itemsOfLines(text, name);
  if (items.length === 0)
    throw usage(`${name} names no client`, 'one Tox ID a line, with a name behind it if you like');
  if (items.length > MOST_ITEMS) throw usage(`${name} has more than ${MOST_ITEMS} clients`, 'split it');
  return items;
}

function itemsOfJson(text: string, name: string): Item[] {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw usage(`${name} is not JSON: ${(error as Error).message}`, 'tuntoxctl whitelist export writes the right form');
  }
  const { schema, items } = value as { readonly schema?: unknown; readonly items?: unknown };
  if (schema !== 'tuntox.whitelist-export/1' || !Array.isArray(items)) {
    throw usage(
      `${name} is not what whitelist export writes: its schema is not tuntox.whitelist-export/1`,
      'tuntoxctl whitelist export writes the right form',
    );
  }
  // The daemon looks at each of them, and says what is wrong with which.
  return items as Item[];
}

function itemsOfLines(text: string, name: string): Item[] {
  return text.split(/\r?\n/).flatMap((line, index) => {
    const [copied, alias, more] = line.replace(/#.*/, '').trim().split(/\s+/);
    if (copied === undefined || copied === '') return [];
    const id = withoutCopyMarks(copied);
    if (more !== undefined) {
      throw usage(`${name}:${index + 1}: there is more than an ID and a name`, `leave out all from "${more}"`);
    }
    if (!/^([0-9a-fA-F]{64}|[0-9a-fA-F]{76})$/.test(id)) {
      throw usage(
        `${name}:${index + 1}: "${id.slice(0, 80)}" is neither a Tox ID nor a public key`,
        'they have 76 and 64 hex digits',
      );
    }
    return [{ id, ...(alias === undefined ? {} : { name: alias }) }];
  });
}
