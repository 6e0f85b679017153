import { cpSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { commandFile, ROOT, startProgram, temporaryDirectory } from '../support/processes.js';

const COMMANDS: readonly (readonly [command: string, ...words: string[]])[] = [
  ['tuntox', '--insecure-open'],
  ['tuntoxd', '--config', '/dev/null'],
];
const PREBUILDS = 'node_modules/sodium-native/prebuilds';

/** The program as it is installed, with a copy of sodium-native of its own that a test may spoil. */
function installation(t: Test): string {
  const root = temporaryDirectory(t);
  cpSync(join(ROOT, 'dist/bin'), join(root, 'dist/bin'), { recursive: true });
  cpSync(join(ROOT, 'package.json'), join(root, 'package.json'));
  const here = `${process.platform}-${process.arch}`;
  cpSync(join(ROOT, 'node_modules/sodium-native'), join(root, 'node_modules/sodium-native'), {
    recursive: true,
    filter: (path) => !path.includes('/prebuilds/') || path.includes(here),
  });
  return root;
}

async function complaintOf(t: Test, root: string, [command, ...words]: (typeof COMMANDS)[number]): Promise<string> {
  const run = startProgram(command, [
    ...['env', '-u', 'NODE_OPTIONS', process.execPath, commandFile(command, root)],
    ...words,
  ]);
  t.equal(await run.exited, 1);
  t.equal(run.stdout, '');
  return run.stderr;
}

const LINE = new RegExp(
  `^[^\n]*the native part sodium-native does not load on this machine \\(${process.platform}-${process.arch}\\): it exists for linux with glibc[^\n]*\n$`,
);

for (const words of COMMANDS) {
  t.test(`${words[0]} without the native part of its cryptography says so in one line`, async (t) => {
    const root = installation(t);
    rmSync(join(root, PREBUILDS), { recursive: true });
    t.match(await complaintOf(t, root, words), LINE);
  });

  t.test(`${words[0]} with a native part for another machine says so in one line`, async (t) => {
    const root = installation(t);
    const folder = join(root, PREBUILDS, `${process.platform}-${process.arch}`);
    for (const file of readdirSync(folder)) writeFileSync(join(folder, file), 'made for another machine');
    t.match(await complaintOf(t, root, words), LINE);
  });
}
