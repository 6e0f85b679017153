/** What `make install` lays out: it needs nothing of this tree, and says what it is made of. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { DEFAULT_SOCKET } from '../../src/cli/ctl/main.js';
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

t.test('what reloads the service, and who manages it, look where the daemon leads to its socket', async (t) => {
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
  t.equal(`${directory}/tuntoxd.sock`, DEFAULT_SOCKET);
  const supervisor = 'usr/local/share/doc/tuntox/examples/supervisor/tuntox.conf';
  t.equal(settingIn(supervisor, /^environment=.*,RUNTIME_DIRECTORY="(.*?)"/m), directory);
  t.equal(settingIn(supervisor, /^command=.*install -d .* (\S+) &&/m), directory);
});

t.test('the copyright file names every package that came along, with its licence', async (t) => {
  const copyright = readFileSync(join(prefix, 'share/doc/tuntox/copyright'), 'utf8');
  const { dependencies } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
    dependencies: Record<string, string>;
  };
  t.match(copyright, /GNU General Public License, version 3/);
  for (const [name, version] of Object.entries(dependencies)) {
    t.match(copyright, new RegExp(`^${name} ${version}\nCopyright: .+\nLicence: .+$`, 'm'));
  }
});
