import { spawnSync } from 'node:child_process';
import { chownSync, mkdirSync, statSync, symlinkSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { readDaemonFlags } from '../../src/config/daemon-flags.js';
import { loadSettings, SettingsError } from '../../src/config/daemon-settings.js';
import { makeRuntimeDirectory, runAsUser } from '../../src/daemon/as-user.js';
import type { Loaded } from '../../src/daemon/configuration.js';
import { requirementsMet, root } from '../support/requirements.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

const defaults = loadSettings({ configFile: '/dev/null', flags: [], environment: {} });
const flags = readDaemonFlags([]);

/** As root, with the settings at that path. */
const run = (file: string, load: () => Loaded): Promise<number | undefined> => {
  const process = { geteuid: () => 0, env: { TUNTOX_CONFIG: file } } as unknown as NodeJS.Process;
  return runAsUser(process, { flags, load, release: () => {} });
};

t.test('without settings, root goes on as it is', async (t) => {
  const file = join(temporaryDirectory(t), 'none');
  t.equal(await run(file, () => ({ ...defaults, file: undefined })), undefined);
});

t.test('a file that is made between the look at it and the reading is not used', async (t) => {
  const file = join(temporaryDirectory(t), 'none');
  await t.rejects(
    run(file, () => ({ ...defaults, file })),
    { code: 'bad-settings', message: /none appeared while the daemon was starting: start it again/ },
  );
});

t.test('a link that leads to itself is told as what it is', async (t) => {
  const file = join(temporaryDirectory(t), 'itself');
  symlinkSync('itself', file);
  const load = (): never => {
    throw new SettingsError([`cannot read ${file}`]);
  };
  await t.rejects(run(file, load), { message: /^cannot read .*itself$/ });
});

t.test('a user other than root continues unchanged, and nothing is read', async (t) => {
  const process = { geteuid: () => 1000, env: {} } as unknown as NodeJS.Process;
  const load = (): never => t.fail('it was read') as never;
  t.equal(await runAsUser(process, { flags, load, release: () => {} }), undefined);
});

/** Leaves its socket there. */
const CRASH = "require('node:net').createServer().listen(process.argv[1], () => process.kill(process.pid, 'SIGKILL'))";

/** Listens on a Unix socket until the test ends. */
async function listen(t: Test, path: string): Promise<void> {
  const server = createServer((connection) => connection.destroy());
  t.teardown(() => server.close());
  await new Promise<void>((resolve) => server.listen(path, resolve));
}

const somebody = { name: 'somebody', uid: 65_534, gid: 65_533 };
const { name: _, ...owner } = somebody;

t.test('the directory of the socket is made for the user, also where a daemon of root has left its own', async (t) => {
  if (!requirementsMet(t, root('become somebody else'))) return;
  const path = join(temporaryDirectory(t), 'run');
  for (const what of ['missing', 'of root']) {
    await makeRuntimeDirectory(somebody, path);
    t.match(statSync(path), owner, what);
    chownSync(path, 0, 0);
    if (what === 'missing') {
      spawnSync(process.execPath, ['-e', CRASH, join(path, 'tuntoxd.sock')]);
      symlinkSync('nothing', join(path, 'agent.sock'));
    }
  }
});

t.test('root keeps its directory of the socket while a daemon listens there, also on another socket', async (t) => {
  if (!requirementsMet(t, root('become somebody else'))) return;
  for (const name of ['tuntoxd.sock', 'agent.sock', 'other']) {
    const path = join(temporaryDirectory(t), 'run');
    mkdirSync(path);
    await listen(t, join(path, name));
    await t.rejects(makeRuntimeDirectory(somebody, path), {
      code: 'in-use',
      message: new RegExp(
        `^a program that runs as root listens on .*/run/${name}, so .*/run .* user somebody: stop that program first`,
      ),
    });
    t.match(statSync(path), { uid: 0, gid: 0 }, name);
  }
});

t.test('root keeps it also while a daemon listens elsewhere, to whose socket a link there leads', async (t) => {
  if (!requirementsMet(t, root('become somebody else'))) return;
  const directory = temporaryDirectory(t);
  const path = join(directory, 'run');
  mkdirSync(path);
  await listen(t, join(directory, 'socket'));
  symlinkSync('../socket', join(path, 'tuntoxd.sock'));
  await t.rejects(makeRuntimeDirectory(somebody, path), { code: 'in-use' });
  t.match(statSync(path), { uid: 0, gid: 0 });
});

t.test('a directory of the socket that belongs to a third user stays theirs', async (t) => {
  if (!requirementsMet(t, root('become somebody else'))) return;
  const path = join(temporaryDirectory(t), 'run');
  mkdirSync(path);
  chownSync(path, 1, 1);
  await makeRuntimeDirectory(somebody, path);
  t.match(statSync(path), { uid: 1, gid: 1 });
});
