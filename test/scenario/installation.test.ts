/** What `make install` lays out: it needs nothing of this tree, and says what it is made of. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
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
