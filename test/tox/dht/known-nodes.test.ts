import t from 'tap';
import { compareDistance } from '../../../src/tox/crypto/distance.js';
import { PublicKey } from '../../../src/tox/crypto/keys.js';
import { KnownNodes } from '../../../src/tox/dht/known-nodes.js';
import { DhtNode } from '../../../src/tox/dht/routing/dht-node.js';
import type { NodeList } from '../../../src/tox/dht/routing/node-list.js';
import type { SearchTable } from '../../../src/tox/dht/search/search-table.js';
import { at } from '../../support/nodes.js';
import { SeededRandom } from '../../support/seeded-random.js';

/** Later than the nodes that were heard at 0 are good. */
const NOW = 130_000;

t.test('the closest nodes are the first of all good nodes sorted by distance, each once', async (t) => {
  const random = new SeededRandom(1);
  for (let round = 0; round < 200; round += 1) {
    // Keys of few values, so that some are the same, and some differ late.
    const key = (): PublicKey => {
      const bytes = Buffer.alloc(32);
      bytes[random.below(2) * 31] = random.below(40);
      return new PublicKey(bytes);
    };
    const nodes = Array.from({ length: random.below(60) }, () => {
      const address = random.below(3) === 0 ? '192.168.0.1' : '192.0.2.1';
      return new DhtNode(key(), at(address, 1 + random.below(60_000)), random.below(4) === 0 ? 0 : NOW);
    });
    const half = random.below(nodes.length + 1);
    const known = new KnownNodes({
      clock: { now: () => NOW } as never,
      close: { nodes: () => nodes.slice(0, half) } as unknown as NodeList,
      searches: { lists: [{ nodes: () => nodes.slice(half) }] } as unknown as SearchTable,
      isSuspect: () => false,
    });
    const target = key();
    const lan = random.below(2) === 0;
    const eligible = nodes.filter((node) => node.isGood(NOW) && (lan || !node.goodEndpoints(NOW)[0]?.isLan));
    const sorted = eligible.map((node) => node.publicKey).sort((a, b) => compareDistance(target, a, b));
    const expected = [...new Set(sorted.map(({ hex }) => hex))].slice(0, 4);
    const found = known.closest(target, 4, { lan }).map(({ publicKey }) => publicKey.hex);
    if (found.join() !== expected.join()) t.fail(`round ${round}: ${found} instead of ${expected}`);
  }
});
