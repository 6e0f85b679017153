import t from 'tap';
import { compareDistance } from '../../../src/tox/crypto/distance.js';
import { PublicKey } from '../../../src/tox/crypto/keys.js';
import { closestOf, NodeLists } from '../../../src/tox/dht/node-lists.js';
import { DhtNode } from '../../../src/tox/dht/routing/dht-node.js';
import { ManualClock } from '../../support/manual-clock.js';
import { at, keyOf, named, node } from '../../support/nodes.js';
import { SeededRandom } from '../../support/seeded-random.js';

const OWN = keyOf('00');
const FRIEND = keyOf('ff');
const [A, B] = [node('0a', '192.0.2.1'), node('0b', '192.0.2.2')];

function start() {
  const clock = new ManualClock();
  const asked: string[] = [];
  const lists = new NodeLists({
    clock,
    random: new SeededRandom(1),
    ownKey: OWN,
    ask: (info, target) => asked.push(`${named(info)} about ${target.hex.slice(0, 2)}`),
    ping: () => {},
    sendNatPing: () => {},
    showOurselves: () => {},
    isReachable: ({ endpoint }) => endpoint.family === 4,
    isSuspect: () => false,
  });
  return { clock, asked, lists };
}

t.test('a node that answers is reported as new once, whichever list it is in', async (t) => {
  const { lists } = start();
  t.ok(lists.answered(A, OWN, 0));
  t.notOk(lists.answered(A, OWN, 1));
  lists.searches.open(FRIEND, {});
  t.notOk(lists.answered(A, FRIEND, 2), 'though it is new to that search');
});

t.test('a bad node is reported as new when it answers again', async (t) => {
  const { clock, lists } = start();
  lists.answered(A, OWN, 0);
  clock.advance(123_000);
  t.ok(lists.isGoodNear(A.publicKey, 121_000) && lists.isAnyGoodNear(121_000));
  t.notOk(lists.isGoodNear(A.publicKey, 123_000) || lists.isAnyGoodNear(123_000));
  t.ok(lists.answered(A, OWN, 123_000));
});

t.test('a named node is asked for each list that would take it', async (t) => {
  const { clock, asked, lists } = start();
  lists.searches.open(FRIEND, {});
  lists.answered(A, OWN, 0);
  asked.length = 0;
  lists.named(A.publicKey, B, 0);
  clock.advance(1);
  const about = asked.filter((line) => line.startsWith(named(B))).map((line) => line.slice(-2));
  t.ok(about.includes('00') && about.includes('FF'), about.join());
  lists.named(A.publicKey, { publicKey: keyOf('0c'), endpoint: at('2001:db8::1') }, 0);
  t.notOk(
    asked.some((line) => line.startsWith('0c')),
    'and no node that cannot be reached',
  );
});

t.test('an unknown node is wanted, and a known node only when it sends from another address', async (t) => {
  const { lists } = start();
  t.ok(lists.wants(A, 0));
  lists.answered(A, OWN, 0);
  t.notOk(lists.wants(A, 0));
  t.ok(lists.wants({ ...A, endpoint: at('192.0.2.9') }, 0));
});

t.test('after close no timer is left', async (t) => {
  const { clock, lists } = start();
  lists.searches.open(FRIEND, {});
  lists.answered(A, OWN, 0);
  lists.named(A.publicKey, B, 0);
  lists.close();
  t.equal(clock.pending, 0);
});

/** Later than the nodes that answered at 0 are good. */
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
    const lists = [nodes.slice(0, half), nodes.slice(half)].map((part) => ({
      nodes: () => part,
      heads: () => Int32Array.from(part, ({ publicKey }) => publicKey.head),
    }));
    const target = key();
    const lan = random.below(2) === 0;
    const eligible = nodes.filter((node) => node.isGood(NOW) && (lan || !node.goodEndpoints(NOW)[0]?.isLan));
    const sorted = eligible.map((node) => node.publicKey).sort((a, b) => compareDistance(target, a, b));
    const expected = [...new Set(sorted.map(({ hex }) => hex))].slice(0, 4);
    const found = closestOf(lists, target, 4, { lan, now: NOW, isSuspect: () => false }).map(
      ({ publicKey }) => publicKey.hex,
    );
    if (found.join() !== expected.join()) t.fail(`round ${round}: ${found} instead of ${expected}`);
  }
});
