import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { silentLogger } from '../../../src/base/logger.js';
import { systemRandom } from '../../../src/base/random.js';
import { Identity, type IdentityPlace } from '../../../src/engine/state/identity.js';
import { decodeSavedata, encodeSavedata, newSavedata, type Savedata } from '../../../src/tox/savedata.js';
import { confirmedFriend } from '../../support/saved-friend.js';
import { SeededRandom } from '../../support/seeded-random.js';
import { temporaryDirectory } from '../../support/temporary-directory.js';
import { NAMES } from '../support/names.js';

const open = (place: IdentityPlace, warnings: string[] = []): Promise<Identity> =>
  Identity.open({ random: systemRandom, log: { ...silentLogger, warn: (text) => warnings.push(text) } }, place, NAMES);

const keyOf = (identity: Identity): string => identity.savedata.identity.publicKey.hex;

function savedataWithFriend(): Savedata {
  const random = new SeededRandom(1);
  return { ...newSavedata(random), friends: [confirmedFriend(newSavedata(random).identity.publicKey)] };
}

t.test('an identity is on the disk before it is used, and the same later', async (t) => {
  const path = join(temporaryDirectory(t), 'new');
  const first = await open({ kind: 'directory', path });
  t.ok(first.path);
  const saved = decodeSavedata(readFileSync(join(path, 'tox_save')));
  t.equal(saved.identity.publicKey.hex, keyOf(first));
  await first.close();
  const second = await open({ kind: 'directory', path });
  t.equal(keyOf(second), keyOf(first));
  t.same(second.savedata.identity.nospam, first.savedata.identity.nospam);
  await second.close();
});

t.test('without a directory an identity is for one run', async (t) => {
  const first = await open({ kind: 'nowhere' });
  const second = await open({ kind: 'nowhere' });
  t.notOk(first.path);
  t.not(keyOf(first), keyOf(second));
  await first.save(encodeSavedata(first.savedata));
});

t.test('a missing default directory is a warning, and nothing is created', async (t) => {
  const path = join(temporaryDirectory(t), 'none');
  const warnings: string[] = [];
  const identity = await open({ kind: 'if-possible', path }, warnings);
  t.notOk(identity.path);
  t.match(warnings, [/^this Tox ID is for this run only: .*none.* -C$/]);
  t.notOk(existsSync(path));
});

t.test('an existing default directory is used, and is an error when another process uses it', async (t) => {
  const path = temporaryDirectory(t);
  const identity = await open({ kind: 'if-possible', path });
  t.ok(identity.path);
  await t.rejects(open({ kind: 'if-possible', path }), { code: 'in-use' });
  await identity.close();
});

t.test('a damaged, encrypted or empty identity is neither used nor overwritten', async (t) => {
  const good = encodeSavedata(newSavedata(new SeededRandom(2)));
  const cases: [Buffer, string, RegExp][] = [
    [good.subarray(0, 40), 'corrupt', /tox_save is damaged, it is cut off.*restore it from a backup, or move it away/],
    [Buffer.from('no identity at all'), 'corrupt', /is damaged/],
    [Buffer.alloc(0), 'corrupt', /it is empty/],
    [Buffer.concat([Buffer.from('toxEsave'), Buffer.alloc(100)]), 'encrypted', /encrypted with a password.*-C/],
  ];
  for (const kind of ['directory', 'if-possible'] as const) {
    for (const [bytes, code, message] of cases) {
      const path = temporaryDirectory(t);
      writeFileSync(join(path, 'tox_save'), bytes);
      await t.rejects(open({ kind, path }), { name: 'IdentityError', code, message });
      t.same(readFileSync(join(path, 'tox_save')), Buffer.from(bytes), 'untouched');
      t.same(readdirSync(path).sort(), ['tox_save', 'tox_save.lock']);
      writeFileSync(join(path, 'tox_save'), good);
      await (await open({ kind, path })).close();
    }
  }
});

t.test('friends in the file are not admitted, and are still there after a save', async (t) => {
  const path = temporaryDirectory(t);
  const before = savedataWithFriend();
  writeFileSync(join(path, 'tox_save'), encodeSavedata(before));
  const identity = await open({ kind: 'directory', path });
  t.same(identity.savedata.friends, []);
  await identity.save(encodeSavedata(identity.savedata));
  await identity.close();
  const after = decodeSavedata(readFileSync(join(path, 'tox_save')));
  t.equal(after.friends.length, 1);
  t.equal(after.friends[0]?.publicKey.hex, before.friends[0]?.publicKey.hex);
});

t.test('an identity that other users can read is used with a warning', async (t) => {
  const path = temporaryDirectory(t);
  writeFileSync(join(path, 'tox_save'), encodeSavedata(newSavedata(new SeededRandom(3))), { mode: 0o644 });
  const warnings: string[] = [];
  await (await open({ kind: 'directory', path }, warnings)).close();
  t.match(warnings, [/^other users can read the secret key: run chmod 600 .*tox_save$/]);
});
