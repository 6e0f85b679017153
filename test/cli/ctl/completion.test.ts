/** Tab completion: its candidates, and the scripts of the shells. */
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { optionsOf } from '../../../src/cli/ctl/arguments.js';
import { COMMANDS } from '../../../src/cli/ctl/commands.js';
import { ROOT, startProgram } from '../../support/processes.js';
import { requirementsMet, tool } from '../../support/requirements.js';
import { temporaryDirectory } from '../../support/temporary-directory.js';
import { startDaemon } from './support/daemon.js';
import { run } from './support/run.js';

/** Returns the candidates for the last word, without their descriptions. */
async function offered(words: readonly string[], socket = '/nowhere/s'): Promise<string[]> {
  const { status, stdout } = await run(['__complete', ...words], { socket });
  return status === 0 ? stdout.split('\n').flatMap((line) => line.split('\t')[0] || []) : ['failed'];
}

t.test('Tab offers every command and each of its options', async (t) => {
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

t.test('Tab offers names and connections of the running daemon', async (t) => {
  const socket = await startDaemon(t);
  t.same(await offered(['connections', 'close', ''], socket), ['c-17', 'c-22']);
  t.same(await offered(['connections', 'close', 'c-2'], socket), ['c-22']);
  t.same(await offered(['whitelist', 'remove', 'l'], socket), ['laptop']);
  t.ok((await offered(['connections', '--client', ''], socket)).includes('laptop'));
  t.ok((await offered(['clients', 'show', ''], socket)).includes('ABCDEF01'), 'the key of a client without a name');
  t.same(await offered(['whitelist', 'import', ''], socket), [':files']);
});

t.test('Tab offers nothing, without an error, when there is no daemon', async (t) => {
  t.same(await offered(['clients', 'show', '']), []);
  t.same(await offered(['no-such', 'thing', '']), []);
});

t.test('completion exits after two requests to the daemon', async (t) => {
  const socket = await startDaemon(t);
  const program = startProgram('tuntoxctl', [join(binaries(t), 'tuntoxctl'), '__complete', 'clients', 'show', ''], {
    env: { ...process.env, TUNTOX_SOCKET: socket },
  });
  t.equal(await program.exited, 0);
  t.match(program.stdout, /^laptop\t9F3A11C2\n/);
});

t.test('Tab offers no names when the daemon does not answer', async (t) => {
  const path = join(temporaryDirectory(t), 's');
  const server = createServer(() => {});
  await new Promise<void>((resolve) => server.listen(path, resolve));
  t.teardown(() => server.close());
  t.same(await offered(['clients', 'show', ''], path), []);
});

/** A directory with tuntoxctl in it, for PATH. */
function binaries(t: Test): string {
  const directory = temporaryDirectory(t);
  const file = join(directory, 'tuntoxctl');
  writeFileSync(file, `#!/bin/sh\nexec env -u NODE_OPTIONS ${process.execPath} ${ROOT}dist/bin/tuntoxctl.js "$@"\n`);
  chmodSync(file, 0o755);
  return directory;
}

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

t.test('the script works in fish', async (t) => {
  if (!requirementsMet(t, tool('fish', 'fish'))) return;
  const script = `tuntoxctl completion fish | source
    complete -C 'tuntoxctl whitelist re'; complete -C 'tuntoxctl log level d'`;
  const { stdout, stderr } = spawnSync('fish', ['--no-config', '-c', script], {
    env: { ...process.env, HOME: temporaryDirectory(t), PATH: `${binaries(t)}:${process.env.PATH}` },
    encoding: 'utf8',
  });
  t.equal(stderr, '');
  t.same(stdout.split('\n'), ['remove\tremove a client from the whitelist and close its tunnels', 'debug', '']);
});

t.test('the script works in zsh', async (t) => {
  if (!requirementsMet(t, tool('zsh', 'zsh'))) return;
  // Zsh completes in its line editor only, so it gets a terminal.
  const script = `zmodload zsh/zpty; zpty shell zsh -f -i
    zpty -w shell "PS1=; autoload -Uz compinit; compinit -u -d $HOME/dump; source <(tuntoxctl completion zsh)"
    zpty -w -n shell $'tuntoxctl whitelist rem\t --dry-\t\n'
    zpty -r -m shell found '*needs an argument: CLIENT*'; print -r -- "$found"; zpty -d shell`;
  const { stdout } = spawnSync('zsh', ['-f', '-c', script], {
    env: { ...process.env, HOME: temporaryDirectory(t), TERM: 'dumb', PATH: `${binaries(t)}:${process.env.PATH}` },
    encoding: 'utf8',
    timeout: 60_000,
  });
  t.match(stdout.replaceAll('\b', ''), /whitelist remove +--dry-run/);
});
