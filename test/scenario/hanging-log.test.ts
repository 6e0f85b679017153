/** Commands whose standard error is a full pipe that is not read: a signal still ends them. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, constants, existsSync, openSync, readFileSync, writeSync } from 'node:fs';
import { constants as system } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { freePort, TUNTOX } from '../support/processes.js';
import { temporaryDirectory } from '../support/temporary-directory.js';
import { controlOf, daemonPlace, TUNTOXD_COMMAND } from './support/daemon-command.js';
import { ended, endWith, isRunning } from './support/strangers.js';

const ATTEMPTS = 5;
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

async function startServer(t: Test): Promise<ChildProcess> {
  const args = ['--insecure-open', '--bootstrap', 'none', '-C', temporaryDirectory(t)];
  const child = spawn(process.execPath, [TUNTOX, ...args], {
    stdio: ['ignore', 'pipe', fullPipe(t)],
  });
  endWith(t, child.pid as number);
  await once(child.stdout as NodeJS.ReadableStream, 'data');
  return child;
}

/** It serves: an order is obeyed. */
async function startDaemon(t: Test): Promise<ChildProcess> {
  const place = daemonPlace(t, undefined);
  const [program = '', ...args] = TUNTOXD_COMMAND;
  const child = spawn(program, [...args, '--config', place.config], {
    stdio: ['ignore', 'ignore', fullPipe(t)],
    env: { ...process.env, NOTIFY_SOCKET: '' },
  });
  const pid = child.pid as number;
  endWith(t, pid);
  while (!existsSync(place.socket) && isRunning(pid)) await delay(20);
  const control = await controlOf(t, place);
  t.equal((await control.call('status', {})).daemon.pid, pid);
  control.close();
  return child;
}

/** The process has it, and will find the next one of its kind another one. */
async function taken({ pid }: ChildProcess, signal: 'SIGINT' | 'SIGTERM'): Promise<void> {
  const bit = 1n << BigInt(system.signals[signal] - 1);
  const pending = (): bigint =>
    BigInt(`0x${/ShdPnd:\s+(\w+)/.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1]}`);
  while ((pending() & bit) !== 0n) await delay(5);
}

for (const [name, start] of [
  ['a server', startServer],
  ['a daemon', startDaemon],
] as const) {
  t.test(`${name} whose log nobody reads ends upon SIGTERM`, async (t) => {
    const child = await start(t);
    t.ok(isRunning(child.pid as number));
    child.kill('SIGTERM');
    t.strictSame(await once(child, 'exit'), [0, null]);
  });

  for (const second of ['SIGTERM', 'SIGINT'] as const) {
    t.test(`${name} whose log nobody reads is ended by ${second} after SIGTERM`, async (t) => {
      let outcome: unknown[] = [0];
      // A process that ended by itself before the second signal shows nothing.
      for (let attempt = 0; attempt < ATTEMPTS && outcome[0] === 0; attempt += 1) {
        const child = await start(t);
        const exit = once(child, 'exit');
        child.kill('SIGTERM');
        await taken(child, 'SIGTERM');
        child.kill(second);
        outcome = await exit;
      }
      t.strictSame(outcome, [null, second]);
    });
  }
}

t.test('a client with -L whose log is not read ends on SIGTERM', async (t) => {
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
  const child = spawn(process.execPath, [TUNTOX, ...args, '-F', join(temporaryDirectory(t), 'pid')], {
    stdio: ['ignore', 'ignore', fullPipe(t)],
  });
  const pid = child.pid as number;
  endWith(t, pid);
  const idFile = args.at(-1) as string;
  while (!existsSync(idFile) && isRunning(pid)) await delay(20);
  t.ok(isRunning(pid));
  child.kill('SIGTERM');
  t.ok(await ended(pid));
});
