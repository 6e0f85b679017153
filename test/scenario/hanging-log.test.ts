/** Commands whose standard error is a full pipe that nobody reads: they still end when they are told to. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, constants, existsSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { freePort, ROOT } from '../support/processes.js';
import { temporaryDirectory } from '../support/temporary-directory.js';
import { ended, endWith, isRunning } from './support/strangers.js';

const ID = 'E776E9A993EE3CAE04F5946D9AC66FBBAA8C63A95A94B41942353C6DC1739B4B4C762C7DA7B9';

/** @returns a descriptor of a full pipe, which stays open at both ends as long as the test runs */
function fullPipe(t: Test): number {
  const path = join(temporaryDirectory(t), 'log');
  spawnSync('mkfifo', [path]);
  const pipe = openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
  t.teardown(() => closeSync(pipe));
  try {
    for (;;) writeSync(pipe, Buffer.alloc(4096));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
  }
  return pipe;
}

t.test('a server whose log nobody reads ends upon SIGTERM', async (t) => {
  const args = ['--insecure-open', '--bootstrap', 'none', '-C', temporaryDirectory(t)];
  const child = spawn(process.execPath, [join(ROOT, 'dist/bin/tuntox.js'), ...args], {
    stdio: ['ignore', 'pipe', fullPipe(t)],
  });
  const pid = child.pid as number;
  endWith(t, pid);
  await once(child.stdout as NodeJS.ReadableStream, 'data');
  t.ok(isRunning(pid));
  child.kill('SIGTERM');
  t.ok(await ended(pid));
});

t.test('a client with -L whose log nobody reads ends upon SIGTERM', async (t) => {
  const args = [
    '-L',
    `${await freePort()}:127.0.0.1:9`,
    '-i',
    ID,
    '--bootstrap',
    'none',
    '-I',
    join(temporaryDirectory(t), 'id'),
  ];
  const child = spawn(
    process.execPath,
    [join(ROOT, 'dist/bin/tuntox.js'), ...args, '-F', join(temporaryDirectory(t), 'pid')],
    {
      stdio: ['ignore', 'ignore', fullPipe(t)],
    },
  );
  const pid = child.pid as number;
  endWith(t, pid);
  const idFile = args.at(-1) as string;
  while (!existsSync(idFile) && isRunning(pid)) await delay(20);
  t.ok(isRunning(pid));
  child.kill('SIGTERM');
  t.ok(await ended(pid));
});
