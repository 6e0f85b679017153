/** The loopback addresses of clients: one for each key, which keeps it. */
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { silentLogger } from '../../../src/base/logger.js';
import { ClientAddresses } from '../../../src/engine/access/client-addresses.js';
import { nodeFileSystem } from '../../../src/engine/state/file-system.js';
import { PublicKey } from '../../../src/tox/crypto/keys.js';
import { systemError } from '../../support/failing-file-system.js';
import { ManualClock } from '../../support/manual-clock.js';
import { SeededRandom } from '../../support/seeded-random.js';
import { temporaryDirectory } from '../../support/temporary-directory.js';
import { NAMES } from '../support/names.js';

const DAY = 86_400_000;
const random = new SeededRandom(9);
const newId = (): string => new PublicKey(random.bytes(32)).hex;
/** Keys with the same first bytes begin the search at the same address. */
const twin = (id: string): string => id.slice(0, 32) + newId().slice(32);

function place(t: Test) {
  const path = temporaryDirectory(t);
  const clock = new ManualClock();
  const warned: string[] = [];
  const disk: { fault: string | undefined } = { fault: undefined };
  const createNew: typeof nodeFileSystem.createNew = async (...args) => {
    if (disk.fault !== undefined) throw systemError(disk.fault);
    return nodeFileSystem.createNew(...args);
  };
  const log = { ...silentLogger, warn: (text: string) => void warned.push(text) };
  const file = join(path, 'client-addresses.json');
  return {
    ...{ clock, warned, disk, file },
    open: (isKept: (id: string) => boolean = () => false) =>
      ClientAddresses.open({ clock, log, files: { ...nodeFileSystem, createNew }, isKept }, { path, names: NAMES }),
    stored: (): { key: string; address: string }[] => JSON.parse(readFileSync(file, 'utf8')).clients,
  };
}

/** Resolves when the file has so many clients. */
async function saved({ stored }: ReturnType<typeof place>, count: number): Promise<void> {
  const length = (): number => {
    try {
      return stored().length;
    } catch {
      return -1;
    }
  };
  while (length() !== count) await new Promise((resolve) => setImmediate(resolve));
}

const address = (addresses: ClientAddresses, id: string): string => {
  const source = addresses.of(id);
  return 'address' in source ? source.address : source.error;
};

t.test('a key has the same address in each run, and no two keys have the same', async (t) => {
  const here = place(t);
  const first = await here.open();
  const ids = Array.from({ length: 50 }, newId).flatMap((id) => [id, twin(id), twin(id)]);
  t.equal(first.known(ids[0] as string), undefined);
  const given = ids.map((id) => address(first, id));
  t.equal(new Set(given).size, ids.length);
  for (const one of given) {
    const [, second = 0, , fourth = 0] = one.split('.').map(Number);
    t.ok(one.startsWith('127.') && second >= 64 && second < 128 && fourth > 0 && fourth < 255, one);
  }
  t.same(
    given.map((one) => first.ownerOf(one)),
    ids,
  );
  t.equal(first.ownerOf('127.0.0.1'), undefined);
  await saved(here, ids.length);
  t.equal(statSync(here.file).mode & 0o777, 0o600);
  const again = await here.open();
  // In another order, in which keys that begin alike would get other addresses without the file.
  t.same(
    [...ids].reverse().map((id) => address(again, id)),
    [...given].reverse(),
  );
  t.equal(again.known(ids[3] as string), given[3]);
});

t.test('when there are too many, the address that was used longest ago goes, but never one that is kept', async (t) => {
  const here = place(t);
  const kept = newId();
  const addresses = await here.open((id) => id === kept);
  const old = [kept, newId(), newId()];
  for (const id of old) address(addresses, id);
  here.clock.advance(2 * DAY);
  const [, second = '', third = ''] = old;
  address(addresses, second);
  while (addresses.known(third) !== undefined) address(addresses, newId());
  t.ok(addresses.known(kept), 'it is kept');
  t.ok(addresses.known(second), 'it was used since');
  await saved(here, 15_000);
});

t.test('while the file cannot be used no client has an address, and the file stays', async (t) => {
  for (const [content, what] of [
    [{ version: 1, clients: [{ key: 'x', address: '127.64.0.1', used_at: 1 }] }, /client 1: its "key"/],
    [{ version: 1, clients: [{ key: newId(), address: '127.63.0.1', used_at: 1 }] }, /client 1: its "address"/],
    [{ version: 1, clients: [{ key: newId(), address: '127.64.0.255', used_at: 1 }] }, /client 1: its "address"/],
    [{ version: 1, clients: [{ key: newId(), address: '127.64.0.1' }] }, /client 1: its "used_at"/],
    [
      { version: 1, clients: [1, 2].map(() => ({ key: newId(), address: '127.64.0.1', used_at: 1 })) },
      /two clients have the same address/,
    ],
    [{ version: 1 }, /no "clients"/],
  ] as const) {
    const here = place(t);
    writeFileSync(here.file, JSON.stringify(content));
    const addresses = await here.open();
    t.match(addresses.error, what);
    t.match(address(addresses, newId()), /no address of its own: .*client-addresses\.json is damaged/);
    t.same(JSON.parse(readFileSync(here.file, 'utf8')), content);
  }
});

t.test('a full disk takes no address from a client, is told once, and gets all of them later', async (t) => {
  const here = place(t);
  const addresses = await here.open();
  here.disk.fault = 'ENOSPC';
  const [one, other] = [newId(), newId()];
  const given = address(addresses, one);
  while (here.warned.length === 0) await new Promise((resolve) => setImmediate(resolve));
  t.equal(address(addresses, one), given);
  address(addresses, other);
  for (let turn = 0; turn < 50; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  t.equal(here.warned.length, 1);
  t.match(here.warned[0], /addresses of clients: /);
  here.disk.fault = undefined;
  address(addresses, newId());
  await saved(here, 3);
  t.equal(address(await here.open(), one), given);
});
