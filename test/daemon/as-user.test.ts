import { chownSync, mkdirSync, statSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
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

t.test('the directory of the socket is made for the user, also where a daemon of root has left its own', async (t) => {
  if (!requirementsMet(t, root('become somebody else'))) return;
  const user = { uid: 65_534, gid: 65_533 };
  const path = join(temporaryDirectory(t), 'run');
  for (const what of ['missing', 'of root']) {
    makeRuntimeDirectory(user, path);
    t.match(statSync(path), user, what);
    chownSync(path, 0, 0);
  }
});

t.test('a directory of the socket that belongs to a third user stays theirs', async (t) => {
  if (!requirementsMet(t, root('become somebody else'))) return;
  const path = join(temporaryDirectory(t), 'run');
  mkdirSync(path);
  chownSync(path, 1, 1);
  makeRuntimeDirectory({ uid: 65_534, gid: 65_533 }, path);
  t.match(statSync(path), { uid: 1, gid: 1 });
});
