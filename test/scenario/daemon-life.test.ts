/** The life of the real daemon: reload, end, being killed, being started twice, and a disk that is full. */
import { spawnSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { CommandNetwork } from '../support/command-network.js';
import { freeTcpPort, type Process, ROOT, startProgram } from '../support/processes.js';
import { requirementsMet, root } from '../support/requirements.js';
import { temporaryDirectory } from '../support/temporary-directory.js';
import { configure, controlOf, daemonPlace, placeOfUser, spawnDaemon, startDaemon } from './support/daemon-command.js';

const SECRET = 'canary of the network';
const KEY = 'a'.repeat(64);
const TUNTOXCTL_COMMAND = ['env', '-u', 'NODE_OPTIONS', process.execPath, join(ROOT, 'dist/bin/tuntoxctl.js')];

/** Waits for the end, and returns standard error. */
async function refused(t: Test, daemon: Process, status: number, message: RegExp): Promise<void> {
  t.equal(await daemon.exited, status, daemon.stderr);
  t.match(daemon.stderr, message);
}

t.test('a daemon that was killed has the same identity and access after a restart', async (t) => {
  const place = daemonPlace(t, undefined);
  const first = await startDaemon(t, place);
  const control = await controlOf(t, place);
  const { toxId } = await control.call('id', {});
  const { secret } = await control.call('secret.rotate', {});
  await control.call('whitelist.add', { id: KEY, name: 'laptop', allow: ['127.0.0.1:22'] });
  t.equal(await first.stop('SIGKILL'), 'SIGKILL');
  t.ok(existsSync(place.socket), 'its socket is left behind, and replaced');
  const second = await startDaemon(t, place);
  const again = await controlOf(t, place);
  t.equal((await again.call('id', {})).toxId, toxId);
  t.match((await again.call('whitelist.list', {})).entries, [{ name: 'laptop', allow: ['127.0.0.1:22'] }]);
  t.equal((await again.call('secret.status', {})).set, true);
  t.equal(await second.stop('SIGTERM'), 0);
  t.notOk(existsSync(place.socket), 'in good order it takes its socket away');
  for (const { stderr } of [first, second]) t.notOk(stderr.includes(secret as string) || stderr.includes(toxId));
});

t.test('a second daemon on the same directory or socket does not start', async (t) => {
  const place = daemonPlace(t, undefined);
  const first = await startDaemon(t, place);
  await refused(
    t,
    spawnDaemon(t, place),
    1,
    /tuntoxd: the identity in .*state is in use by process \d+: stop that one, or .* with state_dir in the settings\n$/,
  );
  // With something that it would have to look at in a month.
  const otherState = temporaryDirectory(t);
  const listed = { key: KEY, alias: null, allow: [], expires_at: 4_000_000_000, note: '', added_at: 1 };
  const list = { version: 1, is_factor: true, entries: [listed] };
  writeFileSync(join(otherState, 'whitelist.json'), JSON.stringify(list), { mode: 0o600 });
  const other = spawnDaemon(t, place, { args: ['--state-dir', otherState] });
  await refused(
    t,
    other,
    1,
    /tuntoxd: another daemon is listening on .*tuntoxd\.sock: stop it, or use another socket.path\n$/,
  );
  t.equal((await (await controlOf(t, place)).call('status', {})).daemon.pid, first.pid, 'the first one answers still');
});

t.test(
  'all errors in the settings are named with their line and the nearest key; --check starts nothing',
  async (t) => {
    const place = daemonPlace(t, undefined);
    const check = spawnDaemon(t, place, { args: ['--check'] });
    t.equal(await check.exited, 0, check.stderr);
    t.match(check.stdout, /tuntox\.yaml is valid\n/);
    configure(place, undefined, 'targets:\n  rules_file: /nothing\n');
    await refused(
      t,
      spawnDaemon(t, place, { args: ['--check'] }),
      2,
      /targets\.rules_file: cannot read \/nothing: there is/,
    );
    configure(place, undefined, 'acces:\n  open: true\nlog:\n  level: loud\n');
    for (const args of [['--check'], []]) {
      const daemon = spawnDaemon(t, place, { args });
      await refused(t, daemon, 2, /line 6: .*"acces": did you mean "access"\?\n.*line 9: log\.level: use one of/);
    }
    t.notOk(existsSync(place.stateDirectory));
    await refused(
      t,
      spawnDaemon(t, place, { args: ['--lgo-level', 'info'] }),
      2,
      /unknown option --lgo-level: did you mean "--log-level"/,
    );
  },
);

/** A client that sends to a service through a daemon; the service counts, and answers at the end. */
async function startTransfer(t: Test) {
  const network = await CommandNetwork.start(t);
  const [, node] = network.node;
  const place = daemonPlace(t, node);
  const daemon = await startDaemon(t, place);
  const control = await controlOf(t, place);
  await control.call('secret.set', { secret: SECRET });
  const { toxId } = await control.call('id', {});
  const hash = createHash('sha256');
  const service = await network.service((socket) => {
    socket.on('data', (bytes) => hash.update(bytes));
    socket.on('end', () => socket.end('all'));
  });
  const port = await freeTcpPort();
  const client = network.command('client', ['-i', toxId, '-L', `${port}:127.0.0.1:${service}`]);
  await client.waitFor(/connected to/);
  const bytes = randomBytes(8 * 1024 * 1024);
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  const answer = once(socket, 'data');
  const isWhole = (): boolean => hash.digest('hex') === createHash('sha256').update(bytes).digest('hex');
  return { place, node, daemon, control, client, bytes, socket, answer, isWhole };
}

t.test('a reload during a transfer breaks nothing, and a bad file changes nothing', async (t) => {
  const { place, node, daemon, control, bytes, socket, answer, isWhole } = await startTransfer(t);
  socket.write(bytes.subarray(0, 1024 * 1024));
  configure(place, node, 'log:\n  level: debug\naccess:\n  require: any\nuser: nobody\n');
  daemon.kill('SIGHUP');
  await daemon.waitFor(/settings reloaded; changed: log\.level, access\.require; after a restart: user\n/);
  socket.write(bytes.subarray(1024 * 1024, 4 * 1024 * 1024));
  t.match(await control.call('status', {}), { daemon: { logLevel: 'debug' }, access: { require: 'any' } });
  configure(place, node, 'log:\n  level: loud\n');
  daemon.kill('SIGHUP');
  await daemon.waitFor(/the settings were not reloaded: .*line \d+: log\.level/);
  socket.end(bytes.subarray(4 * 1024 * 1024));
  t.equal(String((await answer)[0]), 'all');
  t.ok(isWhole());
  const { warnings, daemon: facts } = await control.call('status', {});
  t.equal(facts.logLevel, 'debug');
  t.match(warnings.find(({ code }) => code === 'reload')?.message, /still using the previous settings/);
  t.match(warnings.find(({ code }) => code === 'restart')?.message, /user/);
  await t.rejects(control.call('config.reload', {}), { code: 'failed', message: /log\.level/ });
});

t.test('a socket elsewhere has a link at the default path, for a reload that waits for the outcome', async (t) => {
  const place = daemonPlace(t, undefined);
  const directory = temporaryDirectory(t);
  const defaultPath = join(directory, 'tuntoxd.sock');
  const env = { RUNTIME_DIRECTORY: `${directory}:${temporaryDirectory(t)}` };
  // As the unit does it.
  const reload = (): Process =>
    startProgram('reload', [...TUNTOXCTL_COMMAND, '--socket', defaultPath, 'config', 'reload']);
  const first = await startDaemon(t, place, { env });
  configure(place, undefined, 'log:\n  level: debug\n');
  const good = reload();
  t.equal(await good.exited, 0, good.stderr);
  t.equal((await (await controlOf(t, place)).call('status', {})).daemon.logLevel, 'debug', 'it holds already');
  // A socket that counts from the next start on is not looked for before.
  configure({ ...place, socket: join(directory, 'next') }, undefined);
  const later = reload();
  t.equal(await later.exited, 0, later.stderr);
  t.match(later.stdout, /needs a restart: socket\.path/);
  configure(place, undefined, 'log:\n  level: loud\n');
  const bad = reload();
  t.equal(await bad.exited, 1);
  t.match(bad.stderr, /the settings were not reloaded: .*line \d+: log\.level: use one of/);
  configure(place, undefined);
  t.equal(await first.stop('SIGKILL'), 'SIGKILL');
  t.equal(await reload().exited, 3, 'nobody is there');
  // The old link disturbs neither the same daemon nor one with the default socket.
  const second = await startDaemon(t, place, { env });
  t.equal(await reload().exited, 0);
  t.equal(await second.stop('SIGKILL'), 'SIGKILL');
  configure({ ...place, socket: defaultPath }, undefined);
  const third = await startDaemon(t, place, { env });
  t.equal(await reload().exited, 0);
  t.ok(lstatSync(defaultPath).isSocket());
  t.equal(await third.stop('SIGTERM'), 0);
  configure(place, undefined);
  const fourth = await startDaemon(t, place, { env });
  t.ok(lstatSync(defaultPath).isSymbolicLink());
  t.equal(await fourth.stop('SIGTERM'), 0);
  t.notOk(lstatSync(defaultPath, { throwIfNoEntry: false }), 'in good order it takes its link away');
  writeFileSync(defaultPath, '');
  await (await startDaemon(t, place, { env })).waitFor(
    /cannot link .* to .*, so tuntoxctl needs --socket.*: move it away\n/,
  );
});

t.test('a reload signal during the start is handled after the start', async (t) => {
  const place = daemonPlace(t, undefined);
  const daemon = spawnDaemon(t, place);
  // SigCgt: the signals that it has a use for; SIGHUP is the first one.
  const hearsHangup = (): boolean => {
    const caught = /^SigCgt:\s*([0-9a-f]+)$/m.exec(readFileSync(`/proc/${daemon.pid}/status`, 'utf8'))?.[1];
    return (BigInt(`0x${caught ?? 0}`) & 1n) === 1n;
  };
  while (!hearsHangup()) await sleep(1);
  daemon.kill('SIGHUP');
  await daemon.waitFor(/is ready: (.*\n)*.*settings reloaded; nothing changed\n/);
  t.equal(await daemon.stop('SIGTERM'), 0);
});

t.test('a daemon that is stopped during a transfer finishes it first', async (t) => {
  const { daemon, client, bytes, socket, answer, isWhole } = await startTransfer(t);
  socket.write(bytes.subarray(0, 4 * 1024 * 1024));
  await daemon.waitFor(/tunnel to .* opened/);
  daemon.kill('SIGTERM');
  await daemon.waitFor(/open tunnels \(1\) have up to 10 s to finish/);
  socket.end(bytes.subarray(4 * 1024 * 1024));
  t.equal(String((await answer)[0]), 'all');
  t.ok(isWhole());
  t.equal(await daemon.exited, 0);
  t.notMatch(client.stderr, /shutting down/, 'nothing was cut');
});

t.test('a second stop signal ends the daemon at once', async (t) => {
  const place = daemonPlace(t, undefined);
  const daemon = await startDaemon(t, place);
  // Two of a kind would be one while it is stopped. Both find it where it was, before it has taken leave of anybody.
  daemon.kill('SIGSTOP');
  daemon.kill('SIGTERM');
  daemon.kill('SIGINT');
  daemon.kill('SIGCONT');
  t.match(await daemon.exited, /^SIG(TERM|INT)$/, 'by the signal, not in good order');
  t.match(daemon.stderr, /stopping on SIG(TERM|INT); a second signal stops at once\n$/);
  t.equal(await (await startDaemon(t, place)).stop('SIGTERM'), 0, 'and what it left is no obstacle');
});

t.test('the error about an unusable value names its setting', async (t) => {
  const place = daemonPlace(t, undefined);
  // Node's own way to make a directory with its parents would not come back from there.
  const inProc = spawnDaemon(t, place, { args: ['--state-dir', '/proc/nothing/state'] });
  await refused(t, inProc, 1, /cannot create the directory \/proc\/nothing\/state \(no such file or directory\)/);
  writeFileSync(place.stateDirectory, '');
  await refused(
    t,
    spawnDaemon(t, place),
    1,
    /state \(it exists and is not a directory\): .* state_dir in the settings\n$/,
  );
  const port = await freeTcpPort();
  const args = ['--state-dir', temporaryDirectory(t), '--network-proxy', `socks5://127.0.0.1:${port}`];
  const daemon = await startDaemon(t, place, { args });
  await daemon.waitFor(/ECONNREFUSED .*: check that it runs, and its address in network\.proxy in the settings/);
});

t.test('with a full disk a change fails, and nothing has changed', async (t) => {
  const isRoot = process.getuid?.() === 0;
  if (!requirementsMet(t, { isMet: isRoot, reason: 'only root can mount a small disk', isOptional: true })) return;
  const place = daemonPlace(t, undefined);
  mkdirSync(place.stateDirectory);
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=64k,mode=700', 'tmpfs', place.stateDirectory]);
  t.equal(mounted.status, 0, String(mounted.stderr));
  t.teardown(() => spawnSync('umount', ['-l', place.stateDirectory]));
  const daemon = await startDaemon(t, place);
  const control = await controlOf(t, place);
  await control.call('whitelist.add', { id: KEY, name: 'laptop' });
  const kept = readFileSync(join(place.stateDirectory, 'whitelist.json'), 'utf8');
  const fill = spawnSync('dd', ['if=/dev/zero', `of=${join(place.stateDirectory, 'fill')}`, 'bs=4k']);
  t.not(fill.status, 0, 'it is full');
  const error = { code: 'not-saved', message: /disk full.*nothing has changed/ };
  await t.rejects(control.call('whitelist.remove', { client: 'laptop' }), error);
  await t.rejects(control.call('secret.rotate', { confirmed: true }), error);
  const { bannedUntil } = await control.call('clients.kick', { client: 'laptop', banForMs: 3_600_000 });
  t.match((await control.call('bans.list', {})).bans, [{ until: bannedUntil, persistent: false }], 'but shuts out');
  t.equal((await control.call('whitelist.list', {})).entries.length, 1);
  t.equal(readFileSync(join(place.stateDirectory, 'whitelist.json'), 'utf8'), kept);
  writeFileSync(join(place.stateDirectory, 'fill'), '');
  await control.call('whitelist.remove', { client: 'laptop' });
  t.equal(await daemon.stop('SIGTERM'), 0);
});

t.test('the daemon runs in the background, as another user, with a pid file', async (t) => {
  const isRoot = process.getuid?.() === 0;
  if (!requirementsMet(t, { isMet: isRoot, reason: 'only root can become somebody else', isOptional: true })) return;
  const place = placeOfUser(t, 'user: nobody\n');
  const pidFile = join(place.directory, 'pid');
  const first = spawnDaemon(t, place, { args: ['-z', '-F', pidFile] });
  t.equal(await first.exited, 0, first.stderr);
  const pid = Number(readFileSync(pidFile, 'utf8'));
  t.teardown(() => {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It has ended, as it should.
    }
  });
  t.match(first.stderr, /running as the user nobody\n(.*\n)*.*is ready: /);
  const control = await controlOf(t, place);
  await control.call('whitelist.add', { id: KEY });
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  t.match(status, /^Uid:\s+65534\s+65534\s+65534\s+65534$/m);
  for (const name of ['tox_save', 'whitelist.json']) t.equal(statSync(join(place.stateDirectory, name)).uid, 65534);
  await refused(
    t,
    spawnDaemon(t, place, { args: ['-F', pidFile] }),
    1,
    new RegExp(`pid belongs to process ${pid}, which`),
  );
  process.kill(pid, 'SIGTERM');
  while (existsSync(`/proc/${pid}/cmdline`) && readFileSync(`/proc/${pid}/cmdline`).length > 0) await sleep(20);
  t.notOk(existsSync(place.socket));
});

t.test('a read-only disk at the start is a warning if the identity can be read', async (t) => {
  if (!requirementsMet(t, root('mount a disk for reading only'))) return;
  const place = daemonPlace(t, undefined);
  const first = await startDaemon(t, place);
  const { toxId } = await (await controlOf(t, place)).call('id', {});
  t.equal(await first.stop(), 0);
  const mount = 'mount --bind "$0" "$0" && mount -o remount,bind,ro "$0" && exec "$@"';
  const daemon = await startDaemon(t, place, {
    prefix: ['unshare', '--mount', 'sh', '-c', mount, place.stateDirectory],
  });
  t.match(daemon.stderr, /nothing is saved: cannot write in .* \(read-only file system\): .*state_dir/);
  const control = await controlOf(t, place);
  t.equal((await control.call('id', {})).toxId, toxId);
  const { warnings } = await control.call('status', {});
  t.ok(warnings.some(({ code }) => code === 'not-saved'));
  t.equal(await daemon.stop(), 0);
});
t.test('a deleted socket and its link are created again, and until then tuntoxctl says what is wrong', async (t) => {
  const place = daemonPlace(t, undefined);
  const directory = temporaryDirectory(t);
  const defaultPath = join(directory, 'tuntoxd.sock');
  const daemon = await startDaemon(t, place, { env: { RUNTIME_DIRECTORY: directory } });
  const before = await controlOf(t, place);
  // It cannot look while it is asked.
  daemon.kill('SIGSTOP');
  unlinkSync(place.socket);
  unlinkSync(defaultPath);
  const ask = (...words: string[]) =>
    startProgram('tuntoxctl', [...TUNTOXCTL_COMMAND, ...words, '--socket', place.socket]);
  const lost = ask('id');
  t.equal(await lost.exited, 1);
  t.match(
    lost.stderr,
    /^tuntoxctl: the daemon is running, but its control socket .* was deleted\n {2}the daemon recreates it within 10 s; .*HUP/,
  );
  daemon.kill('SIGHUP');
  daemon.kill('SIGCONT');
  await daemon.waitFor(/settings reloaded/);
  t.match(daemon.stderr, /tuntoxd\.sock was deleted, and has been created again/);
  t.equal(await ask('id').exited, 0);
  t.equal(readlinkSync(defaultPath), place.socket);
  t.match(await before.call('id', {}), { schema: 'tuntox.id/1' }, 'nobody has lost a connection');
  t.equal(await daemon.stop('SIGTERM'), 0);
  for (const path of [place.socket, defaultPath]) t.notOk(lstatSync(path, { throwIfNoEntry: false }), path);
  const none = ask('id');
  t.equal(await none.exited, 3);
  t.match(none.stderr, /the daemon is not running/);
});
