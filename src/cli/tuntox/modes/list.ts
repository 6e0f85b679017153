/** `tuntox list`: the stored hosts. */
import { harmless } from '../../../base/columns.js';
import { writeResult } from '../../../base/result-output.js';
import { shortKey } from '../../../base/short-key.js';
import { dateText } from '../../../base/units.js';
import { type Host, keyOf } from '../../../engine/client/host-entry.js';
import { tableLines } from '../../table.js';
import { ExitStatus } from '../exit-status.js';
import type { CommandLine } from '../flags.js';
import { openHosts } from '../hosts.js';

export async function runList(_line: CommandLine, process: NodeJS.Process): Promise<number> {
  const file = openHosts(process.env);
  const hosts = await file.list();
  const { unusable } = file;
  if (unusable.length > 0) {
    const names = unusable.map((name) => JSON.stringify(name)).join(', ');
    process.stderr.write(`tuntox: left out of ~/.tuntox/hosts, since they cannot be names here: ${harmless(names)}\n`);
  }
  if (hosts.length === 0) {
    process.stderr.write('No host is stored yet: "tuntox join LINK NAME" stores one.\n');
    return ExitStatus.Ok;
  }
  const width = process.stdout.isTTY ? process.stdout.columns || 80 : Number.POSITIVE_INFINITY;
  const columns = [{ heading: 'HOST' }, { heading: 'KEY' }, { heading: 'ADDED' }, { heading: '', narrowest: 20 }];
  const { heading, rows } = tableLines(columns, hosts.map(rowOf), width);
  await writeResult(process.stdout, [heading, ...rows, ''].join('\n'));
  return ExitStatus.Ok;
}

function rowOf({ name, toxId, pinnedKey, addedAt }: Host): string[] {
  const key = keyOf(toxId);
  const note =
    pinnedKey === undefined
      ? 'in ~/.tuntox/hosts'
      : pinnedKey !== key
        ? `its key has changed: "tuntox ping ${name}" says more`
        : '';
  return [name, shortKey(key), addedAt === undefined ? '' : dateText(addedAt), note];
}
