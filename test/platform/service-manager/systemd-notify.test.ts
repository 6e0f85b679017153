import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { systemClock, systemMicroseconds } from '../../../src/base/clock.js';
import { type Logger, silentLogger } from '../../../src/base/logger.js';
import { findServiceManager } from '../../../src/platform/service-manager/systemd-notify.js';
import { type Requirement, requirementsMet, tool } from '../../support/requirements.js';
import { temporaryDirectory } from '../../support/temporary-directory.js';
import { startNotifySocket } from './support/notify-socket.js';

const python = tool('python3', 'python3');
const program = tool('systemd-notify', 'systemd');
const addonBuilt: Requirement = {
  isMet: await import('sd-notify').then(
    () => true,
    () => false,
  ),
  reason: 'the addon sd-notify was not built (apt-get install g++ libsystemd-dev, then npm rebuild sd-notify)',
  isOptional: true,
};

const noAddon = async (): Promise<never> => {
  throw new Error('Cannot find package');
};

interface Given {
  readonly environment?: NodeJS.ProcessEnv;
  readonly loadAddon?: () => Promise<{ sendState(text: string): void }>;
  readonly command?: string;
}

async function find({ environment = {}, ...rest }: Given) {
  const said: string[] = [];
  const log: Logger = { ...silentLogger, warn: (text) => void said.push(text) };
  const deps = { clock: systemClock, log, pid: 42, monotonic: systemMicroseconds };
  return { manager: await findServiceManager({ ...deps, environment, ...rest }), said };
}

/** The whole life of a service. */
async function tellAll({ manager }: Awaited<ReturnType<typeof find>>): Promise<void> {
  await manager.ready();
  manager.status('serving\n2 clients');
  await manager.reloading();
  await manager.ready();
  manager.feedWatchdog();
  await manager.stopping();
}

const ALL = [
  /^READY=1$/,
  /^STATUS=serving 2 clients$/,
  /^RELOADING=1\nMONOTONIC_USEC=\d+$/,
  /^READY=1$/,
  /^WATCHDOG=1$/,
  /^STOPPING=1$/,
];

function sameAsAll(t: Test, messages: readonly string[]): void {
  t.equal(messages.length, ALL.length, messages.join(' | '));
  for (const [index, pattern] of ALL.entries()) t.match(messages[index], pattern);
}

t.test('without a service manager nothing is loaded, started or logged', async (t) => {
  for (const environment of [{}, { NOTIFY_SOCKET: '' }, { WATCHDOG_USEC: '1000000' }]) {
    const loadAddon = async (): Promise<never> => t.fail('loaded') as never;
    const found = await find({ environment, loadAddon, command: '/nonexistent' });
    t.equal(found.manager.way, 'none');
    t.equal(found.manager.watchdogInterval, undefined);
    await tellAll(found);
    t.same(found.said, []);
  }
});

t.test('the addon sends each message as one datagram', async (t) => {
  const sent: string[] = [];
  const loadAddon = async () => ({ sendState: (text: string) => void sent.push(text) });
  const found = await find({ environment: { NOTIFY_SOCKET: '/x' }, loadAddon, command: '/nonexistent' });
  t.equal(found.manager.way, 'addon');
  await tellAll(found);
  sameAsAll(t, sent);
});

t.test('an addon that throws does no harm', async (t) => {
  const loadAddon = async () => ({
    sendState: () => {
      throw new Error('conversion failed');
    },
  });
  const found = await find({ environment: { NOTIFY_SOCKET: '/x' }, loadAddon });
  await tellAll(found);
  t.equal(found.manager.way, 'addon');
});

for (const kind of ['path', 'abstract'] as const) {
  t.test(`the real addon notifies a socket (${kind})`, async (t) => {
    if (!requirementsMet(t, python, addonBuilt)) return;
    const socket = await startNotifySocket(t, kind);
    // libsystemd reads the environment of the process.
    process.env.NOTIFY_SOCKET = socket.address;
    t.teardown(() => delete process.env.NOTIFY_SOCKET);
    const found = await find({ environment: process.env });
    t.equal(found.manager.way, 'addon');
    await tellAll(found);
    await socket.waitFor('STOPPING=1');
    sameAsAll(t, socket.messages());
  });

  t.test(`systemd-notify notifies a socket in order (${kind})`, async (t) => {
    if (!requirementsMet(t, python, program)) return;
    const socket = await startNotifySocket(t, kind);
    const environment = { ...process.env, NOTIFY_SOCKET: socket.address };
    const found = await find({ environment, loadAddon: noAddon });
    t.equal(found.manager.way, 'program');
    await tellAll(found);
    sameAsAll(t, socket.messages());
    t.same(found.said, []);
  });
}

t.test('an addon without sendState is not used', async (t) => {
  const loadAddon = async () => ({}) as { sendState(text: string): void };
  t.equal((await find({ environment: { NOTIFY_SOCKET: '/x' }, loadAddon })).manager.way, 'program');
});

t.test('without a working way there is one warning that says what to do', async (t) => {
  const environment = { ...process.env, NOTIFY_SOCKET: join(temporaryDirectory(t), 'none') };
  const missing = await find({ environment, loadAddon: noAddon, command: '/nonexistent/systemd-notify' });
  await tellAll(missing);
  t.match(missing.said, [/^cannot notify systemd .*ENOENT.*install the package systemd/]);
  t.equal(missing.said.length, 1);
  if (!requirementsMet(t, program)) return;
  const deaf = await find({ environment, loadAddon: noAddon });
  await tellAll(deaf);
  t.equal(deaf.said.length, 1, deaf.said.join());
});

/** A program in the place of systemd's that writes down what it was told. */
function fakeProgram(t: Test, body: string): string {
  const path = join(temporaryDirectory(t), 'notify');
  writeFileSync(path, `#!/bin/sh\n${body}\n`);
  chmodSync(path, 0o755);
  return path;
}

t.test('a program that hangs is killed', async (t) => {
  const environment = { ...process.env, NOTIFY_SOCKET: '/x' };
  const command = fakeProgram(t, 'exec sleep 60');
  const clock = { ...systemClock, after: (_delay: number, callback: () => void) => systemClock.after(50, callback) };
  const said: string[] = [];
  const log: Logger = { ...silentLogger, warn: (text) => void said.push(text) };
  const deps = { clock, log, pid: 42, monotonic: systemMicroseconds, environment, loadAddon: noAddon, command };
  const manager = await findServiceManager(deps);
  await manager.ready();
  t.match(said, [/did not end within 5 s/]);
});

t.test('a program that systemd stops with the unit is no failure', async (t) => {
  const environment = { ...process.env, NOTIFY_SOCKET: '/x' };
  const command = fakeProgram(t, 'kill -TERM $$; sleep 60');
  const { manager, said } = await find({ environment, loadAddon: noAddon, command });
  await manager.stopping();
  t.same(said, []);
});

t.test('a service manager that does not read does not block the daemon', async (t) => {
  if (!requirementsMet(t, python, program)) return;
  const socket = await startNotifySocket(t, 'path', { isReading: false });
  const environment = { ...process.env, NOTIFY_SOCKET: socket.address };
  const clock = { ...systemClock, after: (_delay: number, callback: () => void) => systemClock.after(300, callback) };
  const deps = { clock, log: silentLogger, pid: 42, monotonic: systemMicroseconds, environment };
  await (await findServiceManager({ ...deps, loadAddon: noAddon })).ready();
  t.pass('given up');
});

t.test('pings that are faster than the program are merged', async (t) => {
  const socket = join(temporaryDirectory(t), 'said');
  const command = fakeProgram(t, `echo "$*" >> ${socket}; sleep 0.2`);
  const { manager } = await find({ environment: { ...process.env, NOTIFY_SOCKET: '/x' }, loadAddon: noAddon, command });
  manager.status('first');
  for (let index = 0; index < 20; index += 1) {
    manager.feedWatchdog();
    manager.status(`number ${index}`);
  }
  await manager.stopping();
  t.equal(readFileSync(socket, 'utf8'), 'STATUS=first\nWATCHDOG=1\nSTATUS=number 19\nSTOPPING=1\n');
});

t.test(
  'the watchdog gets four pings within its timeout, two if each takes a process, and none for another process',
  async (t) => {
    const NOTIFY_SOCKET = '/x';
    const loadAddon = async () => ({ sendState: () => {} });
    const interval = async (environment: NodeJS.ProcessEnv, given: Given = { loadAddon }): Promise<unknown> =>
      (await find({ environment: { NOTIFY_SOCKET, ...environment }, ...given })).manager.watchdogInterval;
    t.equal(await interval({ WATCHDOG_USEC: '30000000' }), 7_500);
    t.equal(await interval({ WATCHDOG_USEC: '30000000' }, { loadAddon: noAddon }), 15_000);
    t.equal(await interval({ WATCHDOG_USEC: '30000000', WATCHDOG_PID: '42' }), 7_500);
    t.equal(await interval({ WATCHDOG_USEC: '30000000', WATCHDOG_PID: '43' }), undefined);
    for (const WATCHDOG_USEC of ['', '0', '-1', 'x', '1e9']) t.equal(await interval({ WATCHDOG_USEC }), undefined);
  },
);
