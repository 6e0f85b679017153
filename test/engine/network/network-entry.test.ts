import t from 'tap';
import { NetworkEntry } from '../../../src/engine/network/network-entry.js';
import { generateKeyPair } from '../../../src/tox/crypto/key-pair.js';
import type { BootstrapAddress } from '../../../src/tox/tox.js';
import { ManualClock } from '../../support/manual-clock.js';
import { SeededRandom } from '../../support/seeded-random.js';

function setUp(hosts: readonly string[] = ['a', 'b']): {
  clock: ManualClock;
  entry: NetworkEntry;
  asked: string[];
  tox: { isOnline: boolean };
} {
  const clock = new ManualClock();
  const random = new SeededRandom(1);
  const asked: string[] = [];
  const tox = { isOnline: false, bootstrap: ({ host }: BootstrapAddress) => void asked.push(host) };
  const nodes = hosts.map((host) => ({ host, port: 1, publicKey: generateKeyPair(random).publicKey }));
  return { clock, entry: new NetworkEntry({ clock, random, tox }, nodes), asked, tox };
}

t.test('all nodes are asked at once, and again with growing gaps until one has answered', async (t) => {
  const { clock, entry, asked, tox } = setUp();
  entry.ask();
  t.same(asked, ['a', 'b']);
  clock.advance(2_000);
  t.equal(asked.length, 4);
  clock.advance(60_000);
  t.ok(asked.length > 12 && asked.length < 24, `${asked.length} questions in a minute`);
  tox.isOnline = true;
  entry.onOnlineChange(true);
  const before = asked.length;
  clock.advance(600_000);
  t.equal(asked.length, before);
});

t.test('all nodes are asked again when the network is lost', async (t) => {
  const { entry, asked } = setUp();
  entry.onOnlineChange(false);
  t.same(asked, ['a', 'b']);
});

t.test('without nodes no node is asked', async (t) => {
  t.equal(setUp().entry.hasNodes, true);
  const { clock, entry, asked } = setUp([]);
  t.equal(entry.hasNodes, false);
  entry.ask();
  entry.onOnlineChange(false);
  clock.advance(600_000);
  t.same(asked, []);
});

t.test('a closed entry asks no node', async (t) => {
  const { clock, entry, asked } = setUp();
  entry.ask();
  entry.close();
  clock.advance(600_000);
  t.equal(asked.length, 2);
  t.equal(clock.pending, 0);
});
