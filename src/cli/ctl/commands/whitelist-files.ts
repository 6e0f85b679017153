/** `tuntoxctl whitelist import` and `export`. */
import { closeSync, constants, fstatSync, openSync, writeFileSync } from 'node:fs';
import { Socket } from 'node:net';
import { messageOf, systemCodeOf } from '../../../base/coded-error.js';
import { isGivenOpen, readSmallFile } from '../../../base/small-file.js';
import { harmlessJson } from '../../columns.js';
import { countText } from '../../humanise.js';
import { type Command, type Context, show } from '../command.js';
import { withConfirmation, YES } from '../confirm.js';
import { CtlError } from '../ctl-error.js';
import { decodeText, readText } from '../text-input.js';
import { IF_ABSENT, printChange } from '../whitelist-change.js';
import { exportOf, parseWhitelistFile } from '../whitelist-file.js';

/** Implementation: bytes of a file; 1000 clients with all that may belong to them are a part of it. */
const MOST_BYTES = 4 * 1024 * 1024;
/** Who knows whom is nobody else's business. */
const MODE = 0o600;

export const WHITELIST_FILE_COMMANDS: readonly Command[] = [
  {
    path: ['whitelist', 'import'],
    isWrite: true,
    about: 'put all clients of a file on the list: all or none',
    more: 'The file is one of whitelist export, or has a Tox ID a line with a name behind it if you like; # begins a comment, - is standard input.',
    arguments: [{ name: 'FILE', completes: 'file' }],
    options: [YES, IF_ABSENT],
    examples: ['clients.json', '- < clients.txt', 'clients.txt --dry-run'],
    run: async (context) => {
      const { given, session, clock } = context;
      const items = parseWhitelistFile(await textOf(context), given.argument(0));
      const change = await withConfirmation(context, (isConfirmed) =>
        session.call('whitelist.import', {
          items,
          isConfirmed,
          isIfAbsent: given.has(IF_ABSENT.name),
          isDryRun: given.isDryRun,
        }),
      );
      show(context, change, (result, out) => printChange(out, result, given.isDryRun, clock.unixTime()));
    },
  },
  {
    path: ['whitelist', 'export'],
    about: 'write the list into a new file',
    more: 'With - it goes to standard output.',
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
  if (name === '-') return dialogue.read(MOST_BYTES);
  const pipe = isGivenOpen(name) ? openPipe(name) : undefined;
  if (pipe !== undefined) return readText(pipe, MOST_BYTES, name);
  return decodeText(readSmallFile(name, MOST_BYTES), name);
}

/** As of `<(…)`. @returns undefined where it is none */
function openPipe(name: string): Socket | undefined {
  let fd: number;
  try {
    fd = openSync(name, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch {
    // Whoever reads it as a file says why.
    return undefined;
  }
  if (fstatSync(fd).isFIFO()) return new Socket({ fd, readable: true, writable: false });
  closeSync(fd);
  return undefined;
}

function save(name: string, text: string): void {
  try {
    writeFileSync(name, text, { mode: MODE, flag: 'wx' });
  } catch (error) {
    if (systemCodeOf(error) === 'EEXIST') {
      throw new CtlError('failed', `${name} is there already`, { hint: 'name another file, or move it away' });
    }
    throw new CtlError('failed', `cannot write ${name}: ${messageOf(error)}`, { cause: error });
  }
}
