/** What Tab offers, and the scripts that ask for it. */
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { COMMANDS } from '../../../src/cli/ctl/commands.js';
import { optionsOf } from '../../../src/cli/ctl/given.js';
import { ROOT } from '../../support/processes.js';
import { temporaryDirectory } from '../../support/temporary-directory.js';
import { startDaemon } from './support/daemon.js';
import { run } from './support/run.js';

/** The candidates for the last word, without what they are. */
async function offered(words: readonly string[], socket = '/nowhere/s'): Promise<string[]> {
  const { status, stdout } = await run(['__complete', ...words], { socket });
  return status === 0 ? stdout.split('\n').flatMap((line) => line.split('\t')[0] || []) : ['failed'];
}

t.test('offers every command and every option of it', async (t) => {
  const nouns = await offered(['']);
  t.same(new Set(nouns), new Set(COMMANDS.map(({ path }) => path[0])));
  for (const command of COMMANDS) {
    const { path } = command;
    if (path.length > 1) t.ok((await offered([path[0]!, ''])).includes(path[1]!), path.join(' '));
    const options = await offered([...path, '--']);
    for (const { name } of optionsOf(command)) t.ok(options.includes(name), `${path.join(' ')} ${name}`);
    t.ok(options.includes('--json'));
  }
  t.same(await offered(['wh']), ['whitelist']);
  t.same(await offered(['log', 'level', 'd']), ['debug']);
  t.same(await offered(['completion', '']), ['bash', 'zsh', 'fish']);
});

t.test('offers names and connections from the running daemon', async (t) => {
  const socket = await startDaemon(t);
  t.same(await offered(['connections', 'close', ''], socket), ['c-17', 'c-22']);
  t.same(await offered(['connections', 'close', 'c-2'], socket), ['c-22']);
  t.same(await offered(['whitelist', 'remove', 'l'], socket), ['laptop']);
  t.ok((await offered(['connections', '--client', ''], socket)).includes('laptop'));
  t.ok((await offered(['clients', 'show', ''], socket)).includes('ABCDEF01'), 'a key where there is no name');
  t.same(await offered(['whitelist', 'import', ''], socket), [':files']);
});

t.test('offers nothing, without an error, when there is no daemon', async (t) => {
  t.same(await offered(['clients', 'show', '']), []);
  t.same(await offered(['no-such', 'thing', '']), []);
});

/** A directory with tuntoxctl in it, for PATH. */
function binaries(t: Test): string {
  const directory = temporaryDirectory(t);
  const file = join(directory, 'tuntoxctl');
  writeFileSync(
    file,
    `#!/bin/sh\nexec env -u NODE_OPTIONS ${process.execPath} ${ROOT}dist/src/bin/tuntoxctl.js "$@"\n`,
  );
  chmodSync(file, 0o755);
  return directory;
}

const hasShell = (name: string): boolean => spawnSync(name, ['-c', 'true']).status === 0;

t.test('the script works in bash', async (t) => {
  const script = `source <(tuntoxctl completion bash)
    try() { COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMPREPLY=(); _tuntoxctl; echo "\${COMPREPLY[*]}" | tr '\\n' ' '; echo; }
    try tuntoxctl whi
    try tuntoxctl whitelist re
    try tuntoxctl whitelist add --n
    touch 'a file'; try tuntoxctl whitelist import a`;
  const cwd = join(temporaryDirectory(t), 'w');
  mkdirSync(cwd);
  const { stdout, stderr } = spawnSync('bash', ['--norc', '-c', script], {
    cwd,
    env: { ...process.env, PATH: `${binaries(t)}:${process.env.PATH}` },
    encoding: 'utf8',
  });
  t.equal(stderr, '');
  t.same(
    stdout.split('\n').map((line) => line.trim()),
    ['whitelist', 'remove', '--name --note --no-color', 'a file', ''],
  );
});

for (const shell of ['zsh', 'fish'] as const) {
  t.test(
    `the script can be read by ${shell}`,
    { skip: hasShell(shell) ? false : `${shell} is not here` },
    async (t) => {
      const { stdout } = await run(['completion', shell]);
      const file = join(temporaryDirectory(t), 'script');
      writeFileSync(file, stdout);
      t.equal(spawnSync(shell, ['-n', file], { encoding: 'utf8' }).stderr, '');
    },
  );
}
