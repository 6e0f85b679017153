import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { BanList, bansFormat } from '../../../src/engine/access/ban-list.js';
import { type FileSystem, nodeFileSystem } from '../../../src/engine/state/file-system.js';
import { JsonFile } from '../../../src/engine/state/json-file.js';
import { generateKeyPair } from '../../../src/tox/crypto/key-pair.js';
import type { PublicKey } from '../../../src/tox/crypto/keys.js';
import { systemError } from '../../support/failing-file-system.js';
import { ManualClock } from '../../support/manual-clock.js';
import { SeededRandom } from '../../support/seeded-random.js';
import { temporaryDirectory } from '../../support/temporary-directory.js';
import { NAMES } from '../support/names.js';

const random = new SeededRandom(12);
const newKey = (): PublicKey => generateKeyPair(random).publicKey;
const [KEY, OTHER] = [newKey(), newKey()];
const HOUR = 3_600;

/** A disk that can become full. */
async function open(t: Test, directory = temporaryDirectory(t)) {
  const clock = new ManualClock();
  const disk = { isFull: false };
  const createNew: FileSystem['createNew'] = async (...args) => {
    if (disk.isFull) throw systemError('ENOSPC');
    return nodeFileSystem.createNew(...args);
  };
  const files = { ...nodeFileSystem, createNew };
  const kept = await JsonFile.open(files, { path: directory, names: NAMES }, bansFormat);
  return { clock, disk, directory, bans: new BanList(clock, kept), inAnHour: clock.unixTime() + HOUR };
}

t.test('a ban in memory counts until its time, writes nothing, and ends with the process', async (t) => {
  const { bans, clock, directory, inAnHour } = await open(t);
  bans.banInMemory(KEY, 'enough', inAnHour);
  t.ok(bans.has(KEY));
  t.notOk(bans.has(OTHER));
  t.match(bans.all, [{ publicKey: KEY, reason: 'enough', since: clock.unixTime(), until: inAnHour, isKept: false }]);
  t.notOk(existsSync(join(directory, 'bans.json')));
  t.notOk((await open(t, directory)).bans.has(KEY));
  clock.advance(HOUR * 1_000 - 1);
  t.ok(bans.has(KEY));
  clock.advance(1);
  t.notOk(bans.has(KEY));
  t.same(bans.all, []);
});

t.test('of two bans of a key the one that ends last is shown, and both are lifted together', async (t) => {
  const { bans, inAnHour } = await open(t);
  await bans.ban(KEY, 'permanently', undefined);
  bans.banInMemory(KEY, 'for an hour', inAnHour);
  await bans.ban(OTHER, 'for an hour', inAnHour);
  bans.banInMemory(OTHER, 'for two', inAnHour + HOUR);
  t.match(bans.all, [
    { publicKey: KEY, reason: 'permanently', isKept: true },
    { publicKey: OTHER, reason: 'for two', isKept: false },
  ]);
  t.ok(bans.isStored(KEY));
  await bans.unban(KEY);
  t.ok(bans.has(KEY), 'the other one still counts');
  bans.unbanInMemory(KEY);
  t.notOk(bans.has(KEY));
  t.ok(bans.has(OTHER));
  bans.unbanInMemory(undefined);
  t.match(bans.all, [{ publicKey: OTHER, isKept: true }]);
});

t.test('a new ban of a key replaces the previous one', async (t) => {
  const { bans, inAnHour } = await open(t);
  bans.banInMemory(KEY, 'a day', inAnHour + 23 * HOUR);
  bans.banInMemory(KEY, 'an hour', inAnHour);
  t.match(bans.all, [{ reason: 'an hour', until: inAnHour }]);
});

t.test('on a full disk stored bans stay, and bans in memory can change', async (t) => {
  const { bans, disk, directory, inAnHour } = await open(t);
  await bans.ban(KEY, 'permanently', undefined);
  const text = readFileSync(join(directory, 'bans.json'), 'utf8');
  disk.isFull = true;
  await t.rejects(bans.ban(OTHER, 'no', undefined), { code: 'disk-full' });
  t.notOk(bans.has(OTHER));
  bans.banInMemory(OTHER, 'yes', inAnHour);
  t.ok(bans.has(OTHER));
  t.notOk(bans.isStored(OTHER), 'so it can be lifted without the disk');
  await t.rejects(bans.unban(KEY), { code: 'disk-full' });
  t.ok(bans.has(KEY));
  t.equal(readFileSync(join(directory, 'bans.json'), 'utf8'), text);
});

t.test('a stored ban that has ended is lifted without the disk', async (t) => {
  const { bans, clock, inAnHour } = await open(t);
  await bans.ban(KEY, 'an hour', inAnHour);
  clock.advance(HOUR * 1_000);
  t.notOk(bans.isStored(KEY));
  t.notOk(bans.isStored(undefined));
});

t.test('memory is bounded: the bans that end first are dropped', async (t) => {
  const { bans, inAnHour } = await open(t);
  bans.banInMemory(KEY, 'first to end', inAnHour - 1);
  for (let count = 0; count < 4_096; count += 1) {
    bans.banInMemory({ ...KEY, hex: count.toString(16) } as PublicKey, 'x', inAnHour + count);
  }
  t.equal(bans.all.length, 4_096);
  t.notOk(bans.has(KEY));
});
