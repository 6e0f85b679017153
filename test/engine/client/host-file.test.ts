import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { systemClock } from '../../../src/base/clock.js';
import type { StoredHost } from '../../../src/engine/client/host-entry.js';
import { HostFile } from '../../../src/engine/client/host-file.js';
import { lockFile } from '../../../src/engine/state/file-lock.js';
import { type FileSystem, nodeFileSystem } from '../../../src/engine/state/file-system.js';
import { FailingFileSystem, systemError } from '../../support/failing-file-system.js';
import { ManualClock } from '../../support/manual-clock.js';
import { temporaryDirectory } from '../../support/temporary-directory.js';

const [KEY, OTHER_KEY] = ['AB'.repeat(32), 'CD'.repeat(32)];

const host = (name: string, key = KEY, more: Partial<StoredHost> = {}): StoredHost => ({
  name,
  toxId: `${key}000000001234`,
  pinnedKey: key,
  secret: 'canary-secret',
  addedAt: 1_800_000_000,
  ...more,
});

interface Home {
  readonly directory: string;
  readonly upstreamFile: string;
  readonly json: string;
}

function newHome(t: Test): Home {
  const home = temporaryDirectory(t);
  const directory = join(home, '.config', 'tuntox');
  return { directory, upstreamFile: join(home, '.tuntox', 'hosts'), json: join(directory, 'hosts.json') };
}

const hostsOf = (home: Home, files: FileSystem = nodeFileSystem): HostFile =>
  new HostFile({ files, lock: lockFile, clock: systemClock }, home);

function writeUpstream({ upstreamFile }: Home, text: string): void {
  mkdirSync(join(upstreamFile, '..'), { recursive: true });
  writeFileSync(upstreamFile, text);
}

t.test('a host is stored privately, and found by its name in any case, also with .tox', async (t) => {
  const home = newHome(t);
  await hostsOf(home).add(host('nas'));
  t.equal(statSync(home.json).mode & 0o777, 0o600);
  t.equal(statSync(home.directory).mode & 0o777, 0o700);
  for (const name of ['nas', 'NAS', 'nas.tox', 'Nas.TOX']) t.same(await hostsOf(home).find(name), host('nas'), name);
});

t.test('a name that no host has is refused, with the nearest one', async (t) => {
  const home = newHome(t);
  await t.rejects(hostsOf(home).find('nas'), {
    code: 'unknown',
    message: 'there is no host "nas": "tuntox join LINK nas" stores one',
  });
  await hostsOf(home).add(host('laptop'));
  await t.rejects(hostsOf(home).find('latpop'), { code: 'unknown', message: /did you mean "laptop"\?$/ });
  await t.rejects(hostsOf(home).remove('lapto'), { code: 'unknown', message: /did you mean "laptop"\?$/ });
  await t.rejects(hostsOf(home).find('x'), { code: 'unknown', message: /"tuntox list" shows the hosts$/ });
});

t.test('a name keeps its key: another one is refused until the host is forgotten', async (t) => {
  const home = newHome(t);
  const hosts = hostsOf(home);
  await hosts.add(host('nas'));
  const before = readFileSync(home.json, 'utf8');
  const expected = {
    code: 'changed-key',
    message: /^THE KEY OF nas HAS CHANGED.* "tuntox forget nas" and join again$/,
  };
  await t.rejects(hosts.check('nas', host('nas', OTHER_KEY).toxId), expected);
  await t.rejects(hosts.add(host('nas', OTHER_KEY)), expected);
  t.equal(readFileSync(home.json, 'utf8'), before);
  await hosts.remove('nas');
  await hosts.add(host('nas', OTHER_KEY));
  t.equal((await hosts.find('nas')).pinnedKey, OTHER_KEY);
});

t.test('joining again with the same key replaces secret and Tox ID', async (t) => {
  const home = newHome(t);
  await hostsOf(home).add(host('nas'));
  const toxId = `${KEY}FFFFFFFF1234`;
  await hostsOf(home).add(host('nas', KEY, { toxId, secret: undefined, addedAt: 1_900_000_000 }));
  t.same(await hostsOf(home).list(), [host('nas', KEY, { toxId, secret: undefined })]);
});

t.test('a Tox ID that was changed in the file is not used', async (t) => {
  const home = newHome(t);
  await hostsOf(home).add(host('nas'));
  const text = readFileSync(home.json, 'utf8');
  writeFileSync(home.json, text.replace(host('nas').toxId, host('nas', OTHER_KEY).toxId));
  await t.rejects(hostsOf(home).find('nas'), {
    code: 'changed-key',
    message: /It was ABABABAB…, and is now CDCDCDCD…/,
  });
});

t.test('hosts that are stored at the same time are all kept', async (t) => {
  const home = newHome(t);
  const names = Array.from({ length: 8 }, (_, index) => `host${index}`);
  await Promise.all(names.map((name) => hostsOf(home).add(host(name))));
  t.same(
    (await hostsOf(home).list()).map(({ name }) => name),
    names,
  );
});

t.test('a lock that another process keeps is an error in the end', async (t) => {
  const home = newHome(t);
  const clock = new ManualClock();
  const hosts = new HostFile({ files: nodeFileSystem, lock: () => false, clock }, home);
  let error: unknown;
  const added = hosts.add(host('nas')).catch((thrown: unknown) => {
    error = thrown;
  });
  while (error === undefined) {
    await new Promise(setImmediate);
    clock.advance(50);
  }
  await added;
  t.match(error, { message: /another process holds hosts\.lock/ });
});

t.test('a file that is damaged or newer is one error, does not show a secret, and stays', async (t) => {
  const entry = { name: 'nas', tox_id: host('nas').toxId, pinned_key: KEY, secret: 'canary-secret', added_at: 1 };
  const file = (...hosts: unknown[]): string => JSON.stringify({ version: 1, hosts });
  const cases: [string, RegExp][] = [
    ['{"version": 1, "hosts": [{"secret": "canary-secret"', /hosts\.json is damaged \(it is not JSON\)/],
    ['{"version": 1}', /"hosts" is not a list/],
    ['{"version": 2, "hosts": []}', /newer version/],
    [file(null), /host 1: its name is wrong: use a letter, then letters/],
    ...['my nas', '*', '', 'NAS', 'nas.tox', '-L', 'a'.repeat(33)].map((name): [string, RegExp] => [
      file(entry, { ...entry, name }),
      /host 2: its name is wrong: use a letter, .*at most 32 in all, in lower case/,
    ]),
    [file(entry, { ...entry, tox_id: 'F00' }), /host 2: "tox_id" is wrong/],
    [file({ ...entry, pinned_key: 'canary-secret' }), /"pinned_key" is wrong/],
    [file({ ...entry, secret: 7 }), /"secret" is wrong/],
    [file({ ...entry, secret: 'canary-secret'.repeat(71) }), /"secret" is wrong/],
    [file({ ...entry, added_at: 'canary-secret' }), /"added_at" is wrong/],
    [file(entry, entry), /"nas" is there twice/],
  ];
  for (const [text, message] of cases) {
    const home = newHome(t);
    mkdirSync(home.directory, { recursive: true });
    writeFileSync(home.json, text);
    for (const action of [
      () => hostsOf(home).list(),
      () => hostsOf(home).find('nas'),
      () => hostsOf(home).add(host('new')),
      () => hostsOf(home).remove('nas'),
    ]) {
      const error: Error = await action().then(
        () => new Error('nothing was thrown'),
        (thrown) => thrown,
      );
      t.match(error.message, message);
      t.notMatch(error.message, 'canary');
    }
    t.equal(readFileSync(home.json, 'utf8'), text);
  }
});

t.test('whenever a disk fails, the hosts are the old ones or the new ones', async (t) => {
  for (let at = 0; ; at += 1) {
    const home = newHome(t);
    await hostsOf(home).add(host('old'));
    const files = new FailingFileSystem({ at, error: systemError('EIO'), isFinal: true });
    const error: Error | undefined = await hostsOf(home, files)
      .add(host('new'))
      .then(
        () => undefined,
        (thrown) => thrown,
      );
    const names = (await hostsOf(home).list()).map(({ name }) => name);
    if (error === undefined) {
      t.same(names, ['new', 'old']);
      t.ok(at > 5);
      return;
    }
    t.ok(['old', 'new,old'].includes(names.join()), `operation ${at}: ${names}`);
  }
});

t.test("upstream's file is read too, after ours", async (t) => {
  const home = newHome(t);
  const id = host('x').toxId;
  writeUpstream(home, `# comment\n\nnas ${id}\n  Box\t${id.toLowerCase()}  a secret \nbox ${id} other\nbroken\n`);
  await hostsOf(home).add(host('nas', OTHER_KEY));
  const upstream = { pinnedKey: undefined, addedAt: undefined };
  t.same(await hostsOf(home).list(), [
    { name: 'box', toxId: id.toLowerCase(), secret: 'a secret', ...upstream },
    host('nas', OTHER_KEY),
  ]);
  await t.rejects(hostsOf(home).remove('box'), { code: 'not-ours', message: /remove its line there$/ });
  rmSync(home.json);
  t.match(await hostsOf(home).find('nas'), { name: 'nas', toxId: id, secret: undefined });
});

t.test("a name in upstream's file that no host can have is left out, and named to who asks for it", async (t) => {
  const home = newHome(t);
  const id = host('x').toxId;
  writeUpstream(home, `nas ${id}\n* ${id}\n2nd ${id}\n`);
  t.same(
    (await hostsOf(home).list()).map(({ name }) => name),
    ['nas'],
  );
  t.same(hostsOf(home).unusable, ['*', '2nd']);
  await t.rejects(hostsOf(home).find('2nd'), {
    code: 'unknown',
    message: /"2nd" in .*hosts is not a name: use a letter/,
  });
});
