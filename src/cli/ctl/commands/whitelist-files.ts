/** `tuntoxctl whitelist import` and `export`. The file is JSON as export writes it, or has a line for each client. */
import { closeSync, constants, fstatSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { Socket } from 'node:net';
import { systemCodeOf } from '../../../base/coded-error.js';
import { harmlessJson } from '../../../base/columns.js';
import { withoutCopyMarks } from '../../../base/copied-text.js';
import { isGivenOpen, readSmallFile } from '../../../base/small-file.js';
import { systemReason } from '../../../base/system-error.js';
import { countText } from '../../../base/units.js';
import type { ParamsIn, Result } from '../../../control/protocol.js';
import { type Command, type Context, withConfirmation, YES } from '../command.js';
import { CtlError, usage } from '../ctl-error.js';
import { decodeText, readText } from '../dialogue.js';
import { IF_ABSENT, showChange } from './whitelist.js';

type Item = ParamsIn<'whitelist.import'>['items'][number];
type Entry = Result<'whitelist.list'>['entries'][number];

const SCHEMA = 'tuntox.whitelist-export/2' as const;
/** The first version did not say who came by an invitation. */
const READ: readonly unknown[] = [SCHEMA, 'tuntox.whitelist-export/1'];
/** Control protocol: clients in one request. */
const MAX_ITEMS = 1_000;
/** Bytes of a file. 1000 clients with long notes and many targets take less. */
const MAX_BYTES = 4 * 1024 * 1024;
/** Other users may not see which clients there are. */
const MODE = 0o600;

export const WHITELIST_FILE_COMMANDS: readonly Command[] = [
  {
    path: ['whitelist', 'import'],
    isWrite: true,
    about: 'add all clients in a file to the whitelist, or none',
    more: 'FILE is the output of whitelist export, or has one Tox ID per line, optionally followed by a name. # starts a comment. - means standard input.',
    arguments: [{ name: 'FILE', completes: 'file' }],
    options: [YES, IF_ABSENT],
    examples: ['clients.json', '- < clients.txt', 'clients.txt --dry-run'],
    run: async (context) => {
      const { given, session } = context;
      const items = parseWhitelistFile(await textOf(context), given.argument(0));
      const change = await withConfirmation(context, (confirmed) =>
        session.call('whitelist.import', {
          items,
          confirmed,
          ifAbsent: given.has(IF_ABSENT.name),
          dryRun: given.dryRun,
        }),
      );
      showChange(context, change);
    },
  },
  {
    path: ['whitelist', 'export'],
    about: 'write the whitelist to a new file',
    more: '- means standard output.',
    arguments: [{ name: 'FILE', completes: 'file' }],
    examples: ['clients.json', '- | ssh other sudo tuntoxctl whitelist import -'],
    run: async (context) => {
      const { given, session, out, isJson } = context;
      const name = given.argument(0);
      const list = exportOf((await session.call('whitelist.list', {})).entries);
      const text = `${JSON.stringify(list, undefined, 2)}\n`;
      if (name === '-') {
        out.raw(harmlessJson(text));
        return;
      }
      save(name, text);
      if (isJson) out.json(list);
      else out.line(`wrote ${countText(list.items.length, 'client')} to ${name}`);
    },
  },
];

async function textOf({ given, dialogue }: Context): Promise<string> {
  const name = given.argument(0);
  if (name === '-') return dialogue.read(MAX_BYTES);
  const pipe = isGivenOpen(name) ? openPipe(name) : undefined;
  if (pipe !== undefined) return readText(pipe, MAX_BYTES, name);
  return decodeText(readSmallFile(name, MAX_BYTES), name);
}

/** Opens a pipe, such as a shell's `<(…)`. @returns undefined when the file is not a pipe */
function openPipe(name: string): Socket | undefined {
  let fd: number;
  try {
    fd = openSync(name, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch {
    // Reading it as a file reports the error.
    return undefined;
  }
  if (fstatSync(fd).isFIFO()) return new Socket({ fd, readable: true, writable: false });
  closeSync(fd);
  return undefined;
}

function save(name: string, text: string): void {
  let isOurs = false;
  try {
    const fd = openSync(name, 'wx', MODE);
    isOurs = true;
    writeFileSync(fd, text);
    closeSync(fd);
  } catch (error) {
    // The next attempt would find half a file.
    if (isOurs) rmSync(name, { force: true });
    if (systemCodeOf(error) === 'EEXIST') {
      throw new CtlError('failed', `${name} already exists`, { hint: 'choose another name, or move the file away' });
    }
    const message = `cannot write ${name}: ${systemReason(error)}`;
    throw new CtlError('failed', message, { hint: 'name another file, or - for standard output', cause: error });
  }
}

function exportOf(entries: readonly Entry[]) {
  return {
    schema: SCHEMA,
    items: entries.map(({ publicKey, name, allow, allowReverse, rate, maxTunnels, expiresAt, note, invited }) => ({
      id: publicKey,
      ...(name === null ? {} : { name }),
      ...(allow.length === 0 ? {} : { allow }),
      ...(allowReverse.length === 0 ? {} : { allowReverse }),
      ...(rate === null ? {} : { rate }),
      ...(maxTunnels === null ? {} : { maxTunnels }),
      ...(expiresAt === null ? {} : { expiresAt }),
      ...(note === '' ? {} : { note }),
      ...(invited ? { invited } : {}),
    })),
  };
}

/** @param name of the file, for messages. @throws CtlError `usage` with the line of the mistake */
export function parseWhitelistFile(text: string, name: string): Item[] {
  const items = text.trimStart().startsWith('{') ? itemsOfJson(text, name) : itemsOfLines(text, name);
  if (items.length === 0)
    throw usage(`${name} names no client`, 'write one Tox ID per line, optionally followed by a name');
  if (items.length > MAX_ITEMS) throw usage(`${name} has more than ${MAX_ITEMS} clients`, 'split it');
  return items;
}

function itemsOfJson(text: string, name: string): Item[] {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw usage(
      `${name} is not valid JSON: ${(error as Error).message}`,
      'for the right format, see the output of tuntoxctl whitelist export',
    );
  }
  const { schema, items } = value as { readonly schema?: unknown; readonly items?: unknown };
  if (!READ.includes(schema) || !Array.isArray(items)) {
    throw usage(
      `${name} is not a whitelist export: its schema is not ${SCHEMA}`,
      'for the right format, see the output of tuntoxctl whitelist export',
    );
  }
  // The daemon checks each of them, and names the one that is wrong.
  return items as Item[];
}

function itemsOfLines(text: string, name: string): Item[] {
  return text.split(/\r?\n/).flatMap((line, index) => {
    const [copied, alias, more] = line.replace(/#.*/, '').trim().split(/\s+/);
    if (copied === undefined || copied === '') return [];
    const id = withoutCopyMarks(copied);
    if (more !== undefined) {
      throw usage(`${name}:${index + 1}: unexpected "${more}"`, 'a line is a Tox ID, optionally followed by a name');
    }
    if (!/^([0-9a-fA-F]{64}|[0-9a-fA-F]{76})$/.test(id)) {
      throw usage(
        `${name}:${index + 1}: "${id.slice(0, 80)}" is neither a Tox ID nor a public key`,
        'a Tox ID has 76 hex digits, a public key 64',
      );
    }
    return [{ id, ...(alias === undefined ? {} : { name: alias }) }];
  });
}
