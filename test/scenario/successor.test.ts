/**
 * `-U` of the real commands with a Node that refuses to change its user, as that of Debian 13: root prepares, and a process of the
 * user's goes on. Nothing here reaches a network.
 */
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { freePort, type Process, ROOT, startProgram, startTuntox, TUNTOX } from '../support/processes.js';
import { requirementsMet, root } from '../support/requirements.js';
import { temporaryDirectory } from '../support/temporary-directory.js';
import { configure, controlOf, type DaemonPlace, daemonPlace } from './support/daemon-command.js';
import { ORDINARY, runsAsOrdinaryUser } from './support/ordinary-user.js';
import { ended, endWith, isRunning, statusOf } from './support/strangers.js';

const KEY = 'F404ABAA1C99A9D37D61AB54898F56793E1DEF8BD46B1038B9D822E8460FAB67';
const NOWHERE = ['--bootstrap', `127.0.0.1:9:${KEY}`];
const SERVER = ['--insecure-open', ...NOWHERE];
const REFUSING_NODE = [
  ...['env', '-u', 'NODE_OPTIONS', process.execPath],
  ...['--import', join(ROOT, 'dist/test/support/refusing-node.js')],
];
const PRIVATE = 0o600;

function start(t: Test, program: string, args: readonly string[]): Process {
  const env = { ...process.env, NOTIFY_SOCKET: '', WATCHDOG_PID: '' };
  const command = startProgram(program, [...REFUSING_NODE, join(TUNTOX, '..', `${program}.js`), ...args], { env });
  t.teardown(() => command.stop('SIGKILL'));
  return command;
}

const startServer = (t: Test, args: readonly string[]): Process =>
  start(t, 'tuntox', ['-U', 'nobody', ...args, ...SERVER]);
const startDaemon = (t: Test, { config }: DaemonPlace, args: readonly string[] = []): Process =>
  start(t, 'tuntoxd', ['--config', config, '-U', 'nobody', ...args]);

/** One that all users may look into, as usual. */
function openDirectory(t: Test): string {
  const directory = temporaryDirectory(t);
  chmodSync(directory, 0o755);
  return directory;
}

function numberIn(t: Test, pidFile: string): number {
  const pid = Number(readFileSync(pidFile, 'utf8'));
  endWith(t, pid);
  return pid;
}

/** SIGINT and SIGTERM, as bits of the mask. */
const INT_AND_TERM = 0x4002;
const areBothPending = (status: string): boolean =>
  (Number.parseInt(/^ShdPnd:\t([0-9a-f]+)$/m.exec(status)?.[1] ?? '', 16) & INT_AND_TERM) === INT_AND_TERM;

/** Waits until the kernel says so of a process. */
async function becomes(pid: number, isSo: (status: string) => boolean): Promise<void> {
  for (let turn = 0; turn < 500; turn += 1) {
    if (isSo(statusOf(pid))) return;
    await delay(20);
  }
  throw new Error(`process ${pid} is not as it should be:\n${statusOf(pid)}`);
}

/** A server that serves: root's process, and the number of the one that is the user. */
async function startTwo(t: Test, directory: string) {
  const pidFile = join(directory, 'pid');
  const command = startServer(t, ['-C', join(directory, 'id'), '-F', pidFile]);
  await command.waitFor(/^[0-9A-F]{76}\n/);
  return { command, pid: numberIn(t, pidFile) };
}

const RIGHT_OF_LOW_PORTS = '0000000000000400';

/** What the kernel says of a process that is to be nobody, with these capabilities. */
function isNobody(t: Test, pid: number, capabilities = '0000000000000000'): void {
  const status = statusOf(pid);
  for (const kind of ['Uid', 'Gid']) t.match(status, new RegExp(`^${kind}:(\t${ORDINARY}){4}$`, 'm'));
  t.match(status, /^Groups:\t65534 $/m);
  for (const set of ['Inh', 'Prm', 'Eff', 'Bnd', 'Amb']) {
    t.match(status, new RegExp(`^Cap${set}:\t${capabilities}$`, 'm'), set);
  }
  t.match(status, /^NoNewPrivs:\t1$/m);
}

t.test('with a Node that refuses to change its user', async (t) => {
  if (!requirementsMet(t, root('become somebody else'), runsAsOrdinaryUser)) return;

  await t.test('tuntox serves as the user, and ends with 0 when it is told to', async (t) => {
    const directory = openDirectory(t);
    const [pidFile, identity] = [join(directory, 'pid'), join(directory, 'identity')];
    const command = startServer(t, ['-C', identity, '-F', pidFile]);
    await command.waitFor(/^[0-9A-F]{76}\n/);
    await command.waitFor(/running as the user nobody/);
    const pid = numberIn(t, pidFile);
    t.match(statusOf(pid), new RegExp(`^PPid:\t${command.pid}$`, 'm'));
    isNobody(t, pid);
    for (const name of ['', ...readdirSync(identity)]) t.equal(statSync(join(identity, name)).uid, ORDINARY, name);
    t.equal(await command.stop(), 0);
    t.notOk(isRunning(pid));
    t.equal(readFileSync(pidFile, 'utf8'), '', 'a file of root that is stale');
  });

  await t.test('the right for low ports is there where they are asked for, and no other', async (t) => {
    const directory = openDirectory(t);
    const pidFile = join(directory, 'pid');
    const port = await freeLowPort();
    const args = ['-C', join(directory, 'id'), '-F', pidFile, '-t', String(port), '-u', `${port}:${port}`];
    const command = startServer(t, args);
    await command.waitFor(/^[0-9A-F]{76}\n/);
    isNobody(t, numberIn(t, pidFile), RIGHT_OF_LOW_PORTS);
    t.equal(await command.stop(), 0);
  });

  await t.test('what only root can read and open is there at the start, and stays as it was', async (t) => {
    const directory = temporaryDirectory(t);
    const identity = join(directory, 'identity');
    const args = ['-C', identity, '--secret-file', join(directory, 'secret'), '-f', join(directory, 'rules')];
    for (const name of ['secret', 'rules']) writeFileSync(join(directory, name), '127.0.0.1:22\n', { mode: PRIVATE });
    mkdirSync(identity);
    const made = startTuntox([...args, ...NOWHERE]);
    const id = (await made.waitFor(/^[0-9A-F]{76}\n/))[0];
    t.equal(await made.stop(), 0);
    const kept = readFileSync(join(identity, 'tox_save'));

    const idFile = join(directory, 'id');
    const command = start(t, 'tuntox', [
      '-U',
      'nobody',
      '-F',
      join(directory, 'pid'),
      '-I',
      idFile,
      ...args,
      ...NOWHERE,
    ]);
    t.equal((await command.waitFor(/^[0-9A-F]{76}\n/))[0], id);
    await command.waitFor(/warning: the user nobody cannot write in .*: run chown -R nobody /);
    t.notMatch(command.stderr, /other users can read/);
    t.equal(readFileSync(idFile, 'utf8'), id);
    isNobody(t, numberIn(t, join(directory, 'pid')));
    const second = startServer(t, ['-C', identity]);
    t.equal(await second.exited, 1);
    t.match(second.stderr, /^tuntox: the identity in .* is in use by process [0-9]+: stop that one/m);
    t.equal(await command.stop(), 0);
    t.same(readFileSync(join(identity, 'tox_save')), kept);
    for (const path of [identity, join(identity, 'tox_save'), idFile]) t.equal(statSync(path).uid, 0);
  });

  await t.test('files of root in a directory that all may write in are used as root would', async (t) => {
    const directory = openDirectory(t);
    const shared = join(directory, 'shared');
    mkdirSync(shared);
    chmodSync(shared, 0o1777);
    const idFile = join(shared, 'id');
    const args = ['-C', shared, '-I', idFile];
    const made = startTuntox([...args, ...SERVER]);
    const id = (await made.waitFor(/^[0-9A-F]{76}\n/))[0];
    t.equal(await made.stop(), 0);
    writeFileSync(idFile, 'stale, and longer than what comes in its place '.repeat(3));
    const command = startServer(t, args);
    t.equal((await command.waitFor(/^[0-9A-F]{76}\n/))[0], id);
    t.equal(readFileSync(idFile, 'utf8'), id);
    t.equal(await command.stop(), 0);
  });

  await t.test('a node keeps its key in a directory of root', async (t) => {
    const directory = temporaryDirectory(t);
    const port = await freePort();
    const args = ['--node', '-C', directory, '-u', `${port}:${port}`, '-t', '0', '-U', 'nobody', '--bootstrap', 'none'];
    const keys: string[] = [];
    for (let run = 0; run < 2; run += 1) {
      const node = start(t, 'tuntox', args);
      keys.push((await node.waitFor(/^[0-9]+:[0-9A-F]{64}\n/))[0]);
      t.equal(await node.stop(), 0);
    }
    t.equal(keys[0], keys[1]);
    t.equal(statSync(join(directory, 'node_key')).uid, 0);
  });

  await t.test('in the background tuntox is alone, and the first process ends as always', async (t) => {
    const directory = openDirectory(t);
    const pidFile = join(directory, 'pid');
    const command = startServer(t, ['-z', '-C', join(directory, 'id'), '-F', pidFile]);
    t.equal(await command.exited, 0, command.stderr);
    t.match(command.stdout, /^[0-9A-F]{76}\n$/);
    const pid = numberIn(t, pidFile);
    isNobody(t, pid);
    t.notMatch(statusOf(pid), new RegExp(`^PPid:\t${command.pid}$`, 'm'));
    const second = startServer(t, ['-z', '-C', join(directory, 'other'), '-F', pidFile]);
    t.equal(await second.exited, 1);
    t.match(second.stderr, new RegExp(`^tuntox: .*pid belongs to process ${pid}, which runs`, 'm'));
    process.kill(pid, 'SIGTERM');
    t.ok(await ended(pid));
  });

  await t.test('either of the two takes the other one along', async (t) => {
    const directory = openDirectory(t);
    for (const [whom, signal] of [
      ['parent', 'SIGKILL'],
      ['child', 'SIGKILL'],
      ['child', 'SIGQUIT'],
    ] as const) {
      const { command, pid } = await startTwo(t, directory);
      process.kill(whom === 'parent' ? command.pid : pid, signal);
      // What it leaves behind would keep its output open.
      if (!t.ok(await ended(pid), whom)) process.kill(pid, 'SIGKILL');
      t.equal(await command.exited, signal, whom);
    }
  });

  await t.test('a signal to all processes of a service is one', async (t) => {
    const { command, pid } = await startTwo(t, openDirectory(t));
    // So that it finds both when it goes on: the one that is passed on, and its own.
    process.kill(pid, 'SIGSTOP');
    await becomes(pid, (status) => /^State:\tT/m.test(status));
    process.kill(command.pid, 'SIGTERM');
    process.kill(pid, 'SIGINT');
    await becomes(pid, areBothPending);
    process.kill(pid, 'SIGCONT');
    t.equal(await command.exited, 0);
  });

  await t.test('Ctrl-Z stops both, and both go on', async (t) => {
    const { command, pid } = await startTwo(t, openDirectory(t));
    const areBoth = async (state: RegExp): Promise<void> => {
      for (const one of [command.pid, pid]) await becomes(one, (status) => state.test(status));
    };
    command.kill('SIGTSTP');
    await areBoth(/^State:\tT/m);
    command.kill('SIGCONT');
    await areBoth(/^State:\t[^T]/m);
    t.equal(await command.stop('SIGINT'), 0);
  });

  await t.test('what is wrong is said once, with the status of always', async (t) => {
    const directory = openDirectory(t);
    const unknown = start(t, 'tuntox', ['-U', 'nobody-has-this-name', ...SERVER]);
    t.equal(await unknown.exited, 1);
    t.match(unknown.stderr, /^tuntox: there is no user nobody-has-this-name/);
    const closed = start(t, 'tuntox', ['-U', 'nobody', '-C', join(directory, 'id'), ...NOWHERE]);
    t.equal(await closed.exited, 2);
    t.match(closed.stderr, /^tuntox: nobody could get in: .*\n$/);
    const place = daemonPlace(t, undefined);
    mkdirSync(place.stateDirectory);
    chmodSync(place.directory, 0o755);
    const daemon = startDaemon(t, place);
    t.equal(await daemon.exited, 1);
    t.match(daemon.stderr, /^tuntoxd: the user nobody cannot write in .*state: run chown -R nobody .*state\n$/m);
  });

  await t.test('tuntoxd reads what root alone may read, and reloads upon SIGHUP what it may read itself', async (t) => {
    const place = daemonPlace(t, undefined);
    chmodSync(place.directory, 0o755);
    const secret = join(place.directory, 'secret');
    writeFileSync(secret, 'a long secret', { mode: PRIVATE });
    configure(place, undefined, `access:\n  secret_file: ${secret}\n`);
    chmodSync(place.config, PRIVATE);
    const pidFile = join(place.directory, 'pid');
    const daemon = startDaemon(t, place, ['-F', pidFile]);
    await daemon.waitFor(/running as the user nobody\n(.*\n)*.*is ready: /);
    const pid = numberIn(t, pidFile);
    isNobody(t, pid);
    t.equal(statSync(place.socket).uid, ORDINARY);
    const control = await controlOf(t, place);
    t.match(await control.call('secret.status', {}), { isSet: true });
    daemon.kill('SIGHUP');
    await daemon.waitFor(/settings stay as they were/);
    chmodSync(place.config, 0o644);
    chmodSync(secret, 0o644);
    daemon.kill('SIGHUP');
    await daemon.waitFor(/the configuration was read anew/);
    t.equal(await daemon.stop('SIGINT'), 0);
    t.notOk(existsSync(place.socket));
    t.notOk(isRunning(pid));
  });

  await t.test('tuntoxd has the group of its socket, where its user is not in it', async (t) => {
    const place = daemonPlace(t, undefined);
    chmodSync(place.directory, 0o755);
    const daemon = startDaemon(t, place, ['--socket-group', 'daemon']);
    await daemon.waitFor(/is ready: /);
    t.match(statSync(place.socket), { uid: ORDINARY, gid: 1, mode: 0o140660 });
    t.equal(await daemon.stop(), 0);
  });

  await t.test('in the background tuntoxd is alone, too', async (t) => {
    const place = daemonPlace(t, undefined);
    chmodSync(place.directory, 0o755);
    const pidFile = join(place.directory, 'pid');
    const first = startDaemon(t, place, ['-z', '-F', pidFile]);
    t.equal(await first.exited, 0, first.stderr);
    t.match(first.stderr, /is ready: /);
    const pid = numberIn(t, pidFile);
    isNobody(t, pid);
    process.kill(pid, 'SIGTERM');
    t.ok(await ended(pid));
  });
});

/** Of those that not everybody may have, for both protocols. */
async function freeLowPort(): Promise<number> {
  const { createServer } = await import('node:net');
  for (let port = 700; ; port += 1) {
    const isFree = await new Promise<boolean>((resolve) => {
      const server = createServer();
      server.once('error', () => resolve(false));
      server.listen(port, () => server.close(() => resolve(true)));
    });
    if (isFree) return port;
  }
}
