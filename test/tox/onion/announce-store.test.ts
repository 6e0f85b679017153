import t from 'tap';
import { Endpoint } from '../../../src/base/endpoint.js';
import { PublicKey } from '../../../src/tox/crypto/keys.js';
import { type AnnounceEntry, AnnounceStore, MAX_ANNOUNCE_ENTRIES } from '../../../src/tox/onion/announce-store.js';

const endpoint = Endpoint.of('192.0.2.1', 33_445)!;
const OWN = keyAt(0);

/** A key at the given distance from the store's own. */
function keyAt(distance: number): PublicKey {
  const bytes = Buffer.alloc(32);
  bytes.writeUInt32BE(distance);
  return new PublicKey(bytes);
}

const entryAt = (distance: number, data = 1): AnnounceEntry => ({
  publicKey: keyAt(distance),
  dataKey: keyAt(data),
  endpoint,
  sendback: Buffer.alloc(177),
});

/** Full, with distances 1000 to 1159. */
function full(): AnnounceStore {
  const store = new AnnounceStore(OWN);
  for (let index = 0; index < MAX_ANNOUNCE_ENTRIES; index += 1) store.add(entryAt(1_000 + index), 0);
  return store;
}

t.test('an entry is found for 300 s, and longer when it is refreshed', async (t) => {
  const store = new AnnounceStore(OWN);
  t.ok(store.add(entryAt(5), 0));
  t.ok(store.get(keyAt(5), 299_999));
  t.notOk(store.get(keyAt(5), 300_000));
  t.ok(store.add(entryAt(5, 2), 200_000));
  t.ok(store.get(keyAt(5), 499_999)?.dataKey.equals(keyAt(2)));
  t.equal(store.size, 1);
});

t.test('a full store drops the farthest entry for a closer one', async (t) => {
  const store = full();
  t.ok(store.add(entryAt(7), 1));
  t.equal(store.size, MAX_ANNOUNCE_ENTRIES);
  t.notOk(store.get(keyAt(1_159), 1));
  t.ok(store.get(keyAt(1_158), 1));
  t.ok(store.get(keyAt(7), 1));
});

t.test('a full store refuses an entry that is farther than all', async (t) => {
  const store = full();
  t.notOk(store.add(entryAt(5_000), 1));
  t.notOk(store.get(keyAt(5_000), 1));
  t.ok(store.add(entryAt(1_159, 9), 1), 'but refreshes whom it has');
  t.equal(store.size, MAX_ANNOUNCE_ENTRIES);
});

t.test('an expired entry makes room', async (t) => {
  const store = full();
  t.ok(store.add(entryAt(5_000), 300_000));
  t.equal(store.size, 1);
});
