/** Commands that are given a pipe where a file is meant, or in place of one. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, constants, openSync, readdirSync, readlinkSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { commandFile, startTuntox } from '../support/processes.js';
import { temporaryDirectory } from '../support/temporary-directory.js';
import { endWith, isRunning } from './support/strangers.js';

function newPipe(t: Test): string {
  const path = join(temporaryDirectory(t), 'pipe');
  spawnSync('mkfifo', [path]);
  return path;
}

interface Waiting {
  readonly child: ChildProcess;
  readonly path: string;
  readonly writer: number;
}

/** A command whose descriptor 3 is a pipe, to which nothing has been written. */
function startWithPipe(t: Test, name: string, args: readonly string[]): Waiting {
  const path = newPipe(t);
  const writer = openSync(path, constants.O_RDWR);
  const reader = openSync(path, constants.O_RDONLY);
  // Without the recorder of tap, which listens for signals: a process that reads a pipe does not handle them.
  const command = ['-u', 'NODE_OPTIONS', process.execPath, commandFile(name), ...args];
  const child = spawn('env', command, { stdio: ['ignore', 'pipe', 'pipe', reader] });
  closeSync(reader);
  endWith(t, child.pid as number);
  return { child, path, writer };
}

/** Until it has opened the pipe that was its descriptor 3 already: it reads. */
async function waiting({ child: { pid = 0 }, path }: Waiting): Promise<void> {
  const directory = `/proc/${pid}/fd`;
  const isPipe = (name: string): boolean => {
    try {
      return readlinkSync(join(directory, name)) === path;
    } catch {
      // Closed meanwhile.
      return false;
    }
  };
  while (isRunning(pid) && readdirSync(directory).filter(isPipe).length < 2) await delay(5);
}

t.test('a named pipe in place of any file is an error at once', async (t) => {
  const pipe = newPipe(t);
  const [secret, open] = [
    ['--secret-file', pipe],
    ['--insecure-open', '--bootstrap', 'none', '-C', temporaryDirectory(t)],
  ];
  const cases: [string, string[]][] = [
    ['tuntox', [...secret, '--bootstrap', 'none']],
    ['tuntox', [...open, '-f', pipe]],
    ['tuntox', ['--insecure-open', '-b', pipe]],
    ['tuntoxd', ['--config', pipe]],
    ['tuntoxd', ['--check', '--config', pipe]],
    ['tuntoxd', ['--check', '--config', '/dev/null', '--access-secret-file', pipe]],
    ['tuntoxd', ['--check', '--config', '/dev/null', '--targets-rules-file', pipe]],
    ['tuntoxd', ['--check', '--config', '/dev/null', '--network-nodes-file', pipe]],
  ];
  for (const [name, args] of cases) {
    const { status, stderr } = spawnSync(process.execPath, [commandFile(name), ...args], { timeout: 30_000 });
    t.match(stderr.toString(), `cannot read ${pipe}: it is a pipe: name a file`, `${name} ${args.join(' ')}`);
    t.ok(status === 1 || status === 2, `${name} ${args.join(' ')}: ${status}`);
  }
});

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  t.test(`tuntox that waits for a secret from <(…) ends upon ${signal}`, async (t) => {
    const started = startWithPipe(t, 'tuntox', ['--secret-file', '/dev/fd/3', '--bootstrap', 'none']);
    await waiting(started);
    const { child, writer } = started;
    child.kill(signal);
    t.strictSame(await once(child, 'exit'), [null, signal]);
    closeSync(writer);
  });

  t.test(`tuntoxctl that waits for a whitelist from <(…) ends upon ${signal}`, async (t) => {
    const started = startWithPipe(t, 'tuntoxctl', ['whitelist', 'import', '/dev/fd/3']);
    await waiting(started);
    const { child, writer } = started;
    child.kill(signal);
    t.strictSame(await once(child, 'exit'), [signal === 'SIGINT' ? 130 : 143, null]);
    closeSync(writer);
  });
}

t.test('tuntox reads a secret from <(…), even if it comes late, and from /dev/stdin', async (t) => {
  const args = ['--bootstrap', 'none', '-C', temporaryDirectory(t)];
  const started = startWithPipe(t, 'tuntox', ['--secret-file', '/dev/fd/3', ...args]);
  await waiting(started);
  const { child, writer } = started;
  writeSync(writer, 'open sesame\n');
  closeSync(writer);
  await once(child.stdout as NodeJS.ReadableStream, 'data');
  child.kill('SIGTERM');
  t.strictSame(await once(child, 'exit'), [0, null]);
  const other = startTuntox(['--secret-file', '/dev/stdin', ...args]);
  other.child.stdin.end('open sesame\n');
  await other.waitFor(/this is a server that admits every client with the secret/);
  t.equal(await other.stop(), 0);
});
