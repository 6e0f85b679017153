/** The result of `make install`: it needs nothing of this tree, and names its parts. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { SYSTEM_SOCKET } from '../../src/base/daemon-service.js';
import { readTables } from '../support/architecture.js';
import { ROOT, startProgram } from '../support/processes.js';
import { temporaryDirectory } from '../support/temporary-directory.js';
import { daemonPlace } from './support/daemon-command.js';

const destination = temporaryDirectory(t);
execFileSync('env', ['-u', 'NODE_OPTIONS', join(ROOT, 'packaging/install.sh')], {
  env: { ...process.env, DESTDIR: destination, PREFIX: '/usr/local' },
});
const prefix = join(destination, 'usr/local');

t.test('an installed daemon starts, and the installed tuntoxctl speaks to it', async (t) => {
  const { config, socket } = daemonPlace(t, undefined);
  const run = (command: string, ...words: readonly string[]) =>
    startProgram(command, ['env', '-u', 'NODE_OPTIONS', join(prefix, 'bin', command), ...words]);
  const daemon = run('tuntoxd', '--config', config);
  t.teardown(() => daemon.stop('SIGKILL'));
  await daemon.waitFor(/is ready: /);
  const ctl = run('tuntoxctl', 'id', '--qr', '--socket', socket);
  t.equal(await ctl.exited, 0, ctl.stderr);
  t.equal(await daemon.stop(), 0);
  t.equal(await run('tuntox', '--version').exited, 0);
});

t.test('the commands that carry data give V8 one thread', async (t) => {
  const firstLine = (name: string): string | undefined =>
    readFileSync(join(prefix, 'bin', name), 'utf8').split('\n', 1)[0];
  t.equal(firstLine('tuntox'), '#!/usr/bin/env -S node --v8-pool-size=1');
  t.equal(firstLine('tuntoxd'), firstLine('tuntox'));
  t.equal(firstLine('tuntoxctl'), '#!/usr/bin/env node');
  const elsewhere = temporaryDirectory(t);
  execFileSync(join(ROOT, 'packaging/lay-out.sh'), {
    env: { ...process.env, DESTDIR: elsewhere, PREFIX: '/usr', NODE_ARCH: process.arch, NODE: '/usr/bin/node' },
  });
  t.equal(
    readFileSync(join(elsewhere, 'usr/bin/tuntox'), 'utf8').split('\n', 1)[0],
    '#!/usr/bin/node --v8-pool-size=1',
  );
});

t.test("systemctl reload and tuntoxctl find the socket by the daemon's link", async (t) => {
  const settingIn = (file: string, pattern: RegExp): string | undefined =>
    pattern.exec(readFileSync(join(destination, file), 'utf8'))?.[1];
  const unit = 'usr/local/lib/systemd/system/tuntox.service';
  const directory = `/run/${settingIn(unit, /^RuntimeDirectory=(\S+)$/m)}`;
  t.equal(
    settingIn(unit, /^ExecReload=(.*)$/m),
    `/usr/local/bin/tuntoxctl --socket ${directory}/tuntoxd.sock config reload --yes`,
  );
  t.equal(
    settingIn(unit, /^Type=(.*)$/m),
    'notify',
    'what came with systemd 253 does not wait for the outcome of a reload',
  );
  t.equal(`${directory}/tuntoxd.sock`, SYSTEM_SOCKET);
  const supervisor = 'usr/local/share/doc/tuntox/examples/supervisor/tuntox.conf';
  t.equal(settingIn(supervisor, /^environment=.*,RUNTIME_DIRECTORY="(.*?)"/m), directory);
  t.equal(settingIn(supervisor, /^command=.*install -d .* (\S+) &&/m), directory);
});

t.test('the unit of a user starts the installed daemon, and reloads that one', async (t) => {
  const unit = readFileSync(join(prefix, 'lib/systemd/user/tuntox.service'), 'utf8');
  t.match(unit, /^ExecStart=\/usr\/local\/bin\/tuntoxd$/m);
  t.match(unit, /^ExecReload=\/usr\/local\/bin\/tuntoxctl --user config reload --yes$/m);
  t.notMatch(unit, /^(User|Group|AmbientCapabilities|CapabilityBoundingSet)=/m, 'only root may set these');
});

t.test('the unit of a VPN starts the script that is installed', async (t) => {
  const unit = readFileSync(join(prefix, 'lib/systemd/system/tuntox-vpn@.service'), 'utf8');
  const lines = unit.split('\n').filter((line) => line.startsWith('Exec'));
  t.same(lines, [
    'ExecStartPre=+/usr/local/lib/tuntox/vpn.sh up %i',
    'ExecStart=/usr/local/lib/tuntox/vpn.sh run %i',
    'ExecStopPost=+/usr/local/lib/tuntox/vpn.sh down %i',
  ]);
  const script = startProgram('vpn.sh', [join(prefix, 'lib/tuntox/vpn.sh'), 'run', 'home']);
  t.equal(await script.exited, 78, 'which systemd does not repeat');
  t.match(script.stderr, /ROLE must be server or client, in the settings of home \(\/etc\/tuntox-vpn\/home\.conf\)/);
});

t.test('the copyright file names every bundled package, with its licence', async (t) => {
  const copyright = readFileSync(join(prefix, 'share/doc/tuntox/copyright'), 'utf8');
  const { devDependencies, dependencies } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as Record<
    string,
    Record<string, string>
  >;
  const { owners } = readTables(readFileSync(join(ROOT, 'docs/architecture.md'), 'utf8'));
  // What the program imports, but the addon that is there only where it was built.
  const bundled = Object.entries({ ...dependencies, ...devDependencies }).filter(([name]) => owners.has(name));
  t.match(copyright, /GNU General Public License, version 3/);
  t.match(
    copyright,
    /^libsodium, in .*\nCopyright: Frank Denis\nLicence: ISC\n(.*\n)*Permission to use, copy, modify/m,
  );
  t.equal(bundled.length, 9);
  for (const [name, version] of bundled) {
    t.match(copyright, new RegExp(`^${name} ${version}\nCopyright: .+\nLicence: .+$`, 'm'));
  }
});

t.test('all files that programs and pages name are installed: documents, schemas, drop-ins, settings', async (t) => {
  const documents = join(prefix, 'share/doc/tuntox');
  const readme = readFileSync(join(documents, 'README.md'), 'utf8');
  const links = [...readme.matchAll(/\]\((docs\/[^)#]+)/g)].map(([, path]) => path as string);
  t.ok(links.length >= 8);
  const examples = ['supervisor/tuntox.conf', 'systemd/no-user-namespaces.conf', 'systemd/state-directory.conf'];
  const named = [...links, 'docs/schema/status-1.json', ...examples.map((name) => `examples/${name}`)];
  for (const path of named) t.ok(existsSync(join(documents, path)), path);
  for (const name of ['tuntox.yaml', 'nodes.json']) t.ok(existsSync(join(prefix, 'lib/tuntox/etc/tuntox', name)), name);
  t.equal(statSync(join(destination, 'etc/tuntox/tuntox.yaml')).mode & 0o777, 0o640);
  const page = readFileSync(join(prefix, 'share/man/man8/tuntoxd.8'), 'utf8');
  for (const name of ['no-user-namespaces.conf', 'state-directory.conf']) t.ok(page.includes(name), name);
});
