import t from 'tap';
import { BootstrapNodes } from '../../../../src/tox/dht/bootstrap/bootstrap-nodes.js';
import { ManualClock } from '../../../support/manual-clock.js';
import { named, node } from '../../../support/nodes.js';
import { SeededRandom } from '../../../support/seeded-random.js';

const A = node('0a', '192.0.2.1');

function start() {
  const clock = new ManualClock();
  const asked: string[] = [];
  const state = { isConnected: false };
  const nodes = new BootstrapNodes({
    clock,
    random: new SeededRandom(1),
    ask: (info) => asked.push(named(info)),
    isConnected: () => state.isConnected,
  });
  return { clock, asked, state, nodes };
}

t.test('a node is asked at once, then less and less often, until it answers', async (t) => {
  const { clock, asked, nodes } = start();
  nodes.add(A);
  t.equal(asked.length, 1);
  clock.advance(250);
  t.equal(asked.length, 2);
  clock.advance(500);
  t.equal(asked.length, 3);
  nodes.answered(A);
  clock.advance(600_000);
  t.equal(asked.length, 3);
});

t.test('a node that never answers is given up once others have', async (t) => {
  const { clock, asked, state, nodes } = start();
  nodes.add(A);
  state.isConnected = true;
  clock.advance(600_000);
  t.ok(asked.length >= 5 && asked.length <= 7, `${asked.length}`);
  t.equal(clock.pending, 0);
});

t.test(
  'while no node answers, nodes are asked often enough to find the network within two seconds of its return',
  async (t) => {
    const { clock, asked, nodes } = start();
    nodes.add(A);
    clock.advance(600_000);
    t.ok(asked.length > 290 && asked.length < 310, `${asked.length}`);
  },
);

t.test('asking any number of bootstrap nodes costs at most four packets a second', async (t) => {
  const { clock, asked, nodes } = start();
  for (let index = 0; index < 100; index += 1) nodes.add(node('0b', '192.0.2.1', 1 + index));
  clock.advance(600_000);
  const before = asked.length;
  clock.advance(100_000);
  t.ok(asked.length - before <= 410, `${asked.length - before} in 100 s`);
});

t.test('after a loss of all nodes every bootstrap node is asked again', async (t) => {
  const { clock, asked, nodes } = start();
  nodes.add(A);
  nodes.answered(A);
  nodes.restart();
  clock.advance(250);
  t.equal(asked.length, 3);
});

t.test('a node added twice is asked as one, and the number of nodes is bounded', async (t) => {
  const { clock, nodes } = start();
  nodes.add(A);
  nodes.add(A);
  t.equal(clock.pending, 1);
  for (let index = 0; index < 1000; index += 1) nodes.add(node('0b', '192.0.2.1', 1 + index));
  t.equal(clock.pending, 256);
});

t.test('after stop no node is asked', async (t) => {
  const { clock, asked, nodes } = start();
  nodes.add(A);
  nodes.stop();
  nodes.restart();
  clock.advance(60_000);
  t.equal(asked.length, 1);
  t.equal(clock.pending, 0);
});

t.test('nodes are counted by key, as are those that answered since the last restart', async (t) => {
  const { nodes } = start();
  const other = node('0b', '192.0.2.2');
  nodes.add(A);
  nodes.add(node('0a', '192.0.2.77'));
  nodes.add(other);
  t.same(nodes.counts, { known: 2, answering: 0 });
  nodes.answered(A);
  nodes.answered(node('0c', '192.0.2.3'));
  t.same(nodes.counts, { known: 2, answering: 1 }, 'a stranger is none of them');
  nodes.restart();
  t.same(nodes.counts, { known: 2, answering: 0 });
});
