/** `-U` of the real commands: root starts a process of the user's, and does nothing else. Nothing here reaches a network. */
import {
  chmodSync,
  chownSync,
  existsSync,
  lchownSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { commandFile, type Process, startProgram } from '../support/processes.js';
import { requirementsMet, root } from '../support/requirements.js';
import { temporaryDirectory } from '../support/temporary-directory.js';
import { configure, controlOf, type DaemonPlace, daemonPlace, placeOfUser } from './support/daemon-command.js';
import { ORDINARY, runsAsOrdinaryUser } from './support/ordinary-user.js';
import { becomes, ended, endWith, isRunning, statusOf } from './support/strangers.js';

const KEY = 'F404ABAA1C99A9D37D61AB54898F56793E1DEF8BD46B1038B9D822E8460FAB67';
const NOWHERE = ['--bootstrap', `127.0.0.1:9:${KEY}`];
const SERVER = ['--insecure-open', ...NOWHERE];
const NODE = ['env', '-u', 'NODE_OPTIONS', process.execPath];
const PRIVATE = 0o600;
const READABLE_BY_GROUP = 0o640;

function start(t: Test, program: string, args: readonly string[], more: NodeJS.ProcessEnv = {}): Process {
  const env = { ...process.env, NOTIFY_SOCKET: '', WATCHDOG_PID: '', ...more };
  const command = startProgram(program, [...NODE, commandFile(program), ...args], { env });
  t.teardown(() => command.stop('SIGKILL'));
  return command;
}

const startServer = (t: Test, args: readonly string[]): Process =>
  start(t, 'tuntox', ['-U', 'nobody', ...args, ...SERVER]);
const startDaemon = (t: Test, { config }: DaemonPlace, args: readonly string[] = []): Process =>
  start(t, 'tuntoxd', ['--config', config, '-U', 'nobody', ...args]);

/** A directory that all users can list. */
function openDirectory(t: Test): string {
  const directory = temporaryDirectory(t);
  chmodSync(directory, 0o755);
  return directory;
}

/** The user's own. */
function ownDirectory(t: Test): string {
  const directory = join(openDirectory(t), 'own');
  mkdirSync(directory);
  chownSync(directory, ORDINARY, ORDINARY);
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

/** A server that serves: root's process, and the number of the one that is the user. */
async function startTwo(t: Test, directory: string) {
  const pidFile = join(directory, 'pid');
  const command = startServer(t, ['-C', directory, '-F', pidFile]);
  await command.waitFor(/^[0-9A-F]{76}\n/);
  return { command, pid: numberIn(t, pidFile) };
}

const RIGHT_OF_LOW_PORTS = '0000000000000400';

/** What the kernel reports of a process that runs as nobody, with these capabilities. */
function isNobody(t: Test, pid: number, capabilities = '0000000000000000'): void {
  const status = statusOf(pid);
  for (const kind of ['Uid', 'Gid']) t.match(status, new RegExp(`^${kind}:(\t${ORDINARY}){4}$`, 'm'));
  t.match(status, /^Groups:\t65534 $/m);
  for (const set of ['Inh', 'Prm', 'Eff', 'Bnd', 'Amb']) {
    t.match(status, new RegExp(`^Cap${set}:\t${capabilities}$`, 'm'), set);
  }
  t.match(status, /^NoNewPrivs:\t1$/m);
}

t.test('as another user', async (t) => {
  if (!requirementsMet(t, root('become somebody else'), runsAsOrdinaryUser)) return;

  await t.test('tuntox serves as the user, and exits with 0 on a signal', async (t) => {
    const identity = ownDirectory(t);
    const pidFile = join(identity, '..', 'pid');
    const command = startServer(t, ['-C', identity, '-F', pidFile]);
    await command.waitFor(/^[0-9A-F]{76}\n/);
    await command.waitFor(/running as the user nobody/);
    const pid = numberIn(t, pidFile);
    t.match(statusOf(pid), new RegExp(`^PPid:\t${command.pid}$`, 'm'));
    isNobody(t, pid);
    t.equal(statSync(pidFile).uid, 0, 'root may believe it');
    for (const name of readdirSync(identity)) t.equal(statSync(join(identity, name)).uid, ORDINARY, name);
    t.equal(await command.stop(), 0);
    t.notOk(isRunning(pid));
    t.notOk(existsSync(pidFile));
  });

  await t.test('the process keeps the right to open low ports only if they are requested', async (t) => {
    const directory = ownDirectory(t);
    const pidFile = join(directory, 'pid');
    const port = await freeLowPort();
    const args = ['-C', directory, '-F', pidFile, '-t', String(port), '-u', `${port}:${port}`];
    const command = startServer(t, args);
    await command.waitFor(/^[0-9A-F]{76}\n/);
    isNobody(t, numberIn(t, pidFile), RIGHT_OF_LOW_PORTS);
    t.equal(await command.stop(), 0);
  });

  await t.test(
    'a file that only root can read is an error that says what to do, and shows nothing of the file',
    async (t) => {
      const directory = openDirectory(t);
      const rules = join(directory, 'rules');
      writeFileSync(rules, 'a line of root alone\n', { mode: PRIVATE });
      const command = startServer(t, ['-C', ownDirectory(t), '-f', rules]);
      t.equal(await command.exited, 1);
      t.match(
        command.stderr,
        /cannot read .*rules: this user may not read it: as root, run chgrp nogroup .*rules and chmod 640 .*rules\n$/,
      );
      t.notMatch(command.stderr, /a line of root/);
    },
  );

  await t.test('no directory is made as root', async (t) => {
    const directory = openDirectory(t);
    const command = startServer(t, ['-C', join(directory, 'new')]);
    t.equal(await command.exited, 1);
    t.match(command.stderr, /^tuntox: cannot write in .*new \(permission denied\)/m);
    const place = daemonPlace(t, undefined);
    chmodSync(place.directory, 0o755);
    const daemon = startDaemon(t, place);
    t.equal(await daemon.exited, 1);
    t.match(
      daemon.stderr,
      /cannot create the directory .*run \(permission denied\): create a directory that this user can write to/,
    );
    t.same(readdirSync(directory), []);
    t.same(readdirSync(place.directory), ['tuntox.yaml']);
  });

  await t.test('in the background only the second process of tuntox remains, and the first one exits', async (t) => {
    const directory = ownDirectory(t);
    const pidFile = join(directory, '..', 'pid');
    const command = startServer(t, ['-z', '-C', directory, '-F', pidFile]);
    t.equal(await command.exited, 0, command.stderr);
    t.match(command.stdout, /^[0-9A-F]{76}\n$/);
    const pid = numberIn(t, pidFile);
    isNobody(t, pid);
    t.notMatch(statusOf(pid), new RegExp(`^PPid:\t${command.pid}$`, 'm'));
    t.equal(readlinkSync(`/proc/${pid}/cwd`), '/');
    const second = startServer(t, ['-z', '-C', ownDirectory(t), '-F', pidFile]);
    t.equal(await second.exited, 1);
    t.match(second.stderr, new RegExp(`^tuntox: .*pid belongs to process ${pid}, which runs`, 'm'));
    process.kill(pid, 'SIGTERM');
    t.ok(await ended(pid));
    const third = startServer(t, ['-z', '-C', directory, '-F', pidFile]);
    t.equal(await third.exited, 0, third.stderr);
    t.not(numberIn(t, pidFile), pid, 'without its lock the old number was stale');
  });

  await t.test('either of the two processes ends the other one', async (t) => {
    const directory = ownDirectory(t);
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

  await t.test('a signal to all processes of a service counts once', async (t) => {
    const { command, pid } = await startTwo(t, ownDirectory(t));
    // So that it finds both signals when it continues: the forwarded one and its own.
    process.kill(pid, 'SIGSTOP');
    await becomes(pid, (status) => /^State:\tT/m.test(status));
    process.kill(command.pid, 'SIGTERM');
    process.kill(pid, 'SIGINT');
    await becomes(pid, areBothPending);
    process.kill(pid, 'SIGCONT');
    t.equal(await command.exited, 0);
  });

  await t.test('Ctrl-Z stops both processes, and both continue', async (t) => {
    const { command, pid } = await startTwo(t, ownDirectory(t));
    const areBoth = async (state: RegExp): Promise<void> => {
      for (const one of [command.pid, pid]) await becomes(one, (status) => state.test(status));
    };
    command.kill('SIGTSTP');
    await areBoth(/^State:\tT/m);
    command.kill('SIGCONT');
    await areBoth(/^State:\t[^T]/m);
    t.equal(await command.stop('SIGINT'), 0);
  });

  await t.test('an error is printed once, with the same status as without -U', async (t) => {
    const unknown = start(t, 'tuntox', ['-U', 'nobody-has-this-name', ...SERVER]);
    t.equal(await unknown.exited, 1);
    t.match(unknown.stderr, /^tuntox: there is no user nobody-has-this-name/);
    const closed = start(t, 'tuntox', ['-U', 'nobody', '-C', ownDirectory(t), ...NOWHERE]);
    t.equal(await closed.exited, 2);
    t.match(closed.stderr, /^tuntox: this server could not admit any client: .*\n$/m);
  });

  await t.test('tuntoxd reads files of its group, and reloads them on SIGHUP to the first process', async (t) => {
    const place = placeOfUser(t);
    const secret = join(place.directory, 'secret');
    writeFileSync(secret, 'a long secret');
    configure(place, undefined, `access:\n  secret_file: ${secret}\n`);
    for (const path of [secret, place.config]) {
      chownSync(path, 0, ORDINARY);
      chmodSync(path, READABLE_BY_GROUP);
    }
    const pidFile = join(place.directory, 'pid');
    const daemon = startDaemon(t, place, ['-F', pidFile]);
    await daemon.waitFor(/running as the user nobody\n(.*\n)*.*is ready: /);
    const pid = numberIn(t, pidFile);
    isNobody(t, pid);
    t.equal(statSync(place.socket).uid, ORDINARY);
    t.notMatch(daemon.stderr, /other users can read/);
    const control = await controlOf(t, place);
    t.match(await control.call('secret.status', {}), { set: true });
    daemon.kill('SIGHUP');
    await daemon.waitFor(/settings reloaded/);
    t.equal(await daemon.stop('SIGINT'), 0);
    t.notOk(existsSync(place.socket));
    t.notOk(isRunning(pid));
  });

  await t.test('settings that others could change are not used as root, unless the option names them', async (t) => {
    const place = placeOfUser(t);
    const attacked = join(place.directory, 'ssh.service.d');
    writeFileSync(place.config, `user: nobody\nsocket:\n  path: ${attacked}/s\n`);
    chownSync(place.config, ORDINARY, ORDINARY);
    const refused = start(t, 'tuntoxd', [], { TUNTOX_CONFIG: place.config });
    t.equal(await refused.exited, 2);
    t.match(
      refused.stderr,
      /root does not use .*yaml, because other users can change .*yaml: run chown root .*--config\n$/,
    );
    const named = startDaemon(t, place);
    t.equal(await named.exited, 1);
    t.match(named.stderr, /cannot create the directory .*ssh\.service\.d \(permission denied\)/);
    t.notOk(existsSync(attacked));
  });

  await t.test('the target of such a file is not shown, even if the option names it', async (t) => {
    const place = placeOfUser(t);
    const shadow = join(place.directory, 'shadow');
    writeFileSync(shadow, 'top: secret line of root\n', { mode: PRIVATE });
    unlinkSync(place.config);
    symlinkSync(shadow, place.config);
    lchownSync(place.config, ORDINARY, ORDINARY);
    const settings = startDaemon(t, place);
    t.equal(await settings.exited, 2);
    t.match(settings.stderr, /has errors, which are not shown to root/);
    t.notMatch(settings.stderr, /secret line/);
    const both = startDaemon(t, place, ['--log-level', 'loud']);
    t.equal(await both.exited, 2);
    t.match(both.stderr, /has errors, which are not shown to root.*\n.*--log-level: log\.level: /);
    t.notMatch(both.stderr, /secret line/);
    unlinkSync(place.config);
    configure(place, undefined, `targets:\n  rules_file: ${shadow}\n`);
    const daemon = startDaemon(t, place);
    await daemon.waitFor(/clients reach no target: cannot read .*shadow: this user may not read it/);
    t.notMatch(daemon.stderr, /secret line/);
    t.equal(await daemon.stop(), 0);
  });

  await t.test('--check reads the named files as the user', async (t) => {
    const place = placeOfUser(t);
    const rules = join(place.directory, 'rules');
    writeFileSync(rules, '127.0.0.1:22\n', { mode: PRIVATE });
    configure(place, undefined, `targets:\n  rules_file: ${rules}\n`);
    const check = startDaemon(t, place, ['--check']);
    t.equal(await check.exited, 2);
    t.match(check.stderr, /targets\.rules_file: cannot read .*rules: this user may not read it/);
    chmodSync(rules, 0o644);
    const good = startDaemon(t, place, ['--check']);
    t.equal(await good.exited, 0, good.stderr);
    t.match(good.stdout, /tuntox\.yaml is valid/);
  });

  await t.test('tuntoxd has the group of its socket, where its user is not in it', async (t) => {
    const place = placeOfUser(t);
    const daemon = startDaemon(t, place, ['--socket-group', 'daemon']);
    await daemon.waitFor(/is ready: /);
    t.match(statSync(place.socket), { uid: ORDINARY, gid: 1, mode: 0o140660 });
    t.equal(await daemon.stop(), 0);
  });

  await t.test('for root without another user, a socket in a directory of others is for root alone', async (t) => {
    const place = placeOfUser(t);
    const daemon = start(t, 'tuntoxd', ['--config', place.config, '--socket-group', 'daemon']);
    await daemon.waitFor(
      /users other than root can change .*run, so only this user and root may use the control socket/,
    );
    await daemon.waitFor(/is ready: /);
    t.match(statSync(place.socket), { uid: 0, mode: 0o140600 });
    t.equal(await daemon.stop(), 0);
  });

  await t.test("nor is it shared in a directory of root's where everybody may make files", async (t) => {
    const place = placeOfUser(t);
    const directory = temporaryDirectory();
    chmodSync(directory, 0o1777);
    const socket = join(directory, 'sock');
    const daemon = start(t, 'tuntoxd', ['--config', place.config, '--socket-path', socket, '--socket-group', 'daemon']);
    await daemon.waitFor(/users other than root can change .*, so only this user and root may use the control socket/);
    await daemon.waitFor(/is ready: /);
    t.match(statSync(socket), { uid: 0, mode: 0o140600 });
    t.equal(await daemon.stop(), 0);
  });

  await t.test('in the background, only the second process of tuntoxd remains, too', async (t) => {
    const place = placeOfUser(t);
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
