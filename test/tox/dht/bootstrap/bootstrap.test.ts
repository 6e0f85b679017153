import t from 'tap';
import { Bootstrap } from '../../../../src/tox/dht/bootstrap/bootstrap.js';
import { ManualClock } from '../../../support/manual-clock.js';
import { keyOf, named, node } from '../../../support/nodes.js';
import { SeededRandom } from '../../../support/seeded-random.js';

const OWN = node('00', '192.0.2.1');
const [TOLD, SAVED] = [node('0a', '192.0.2.2'), node('0b', '192.0.2.3')];

function start() {
  const clock = new ManualClock();
  const asked: string[] = [];
  const network = { isConnected: false, isBeyondLan: false };
  const bootstrap = new Bootstrap({
    clock,
    random: new SeededRandom(1),
    ownKey: keyOf('00'),
    ask: (info) => asked.push(named(info)),
    isConnected: () => network.isConnected,
    isBeyondLan: () => network.isBeyondLan,
  });
  return { clock, asked, network, bootstrap };
}

t.test('a bootstrap node is asked at once, and saved nodes from the start on', async (t) => {
  const { asked, bootstrap } = start();
  bootstrap.addSavedNodes([SAVED]);
  bootstrap.addNode(TOLD);
  t.same(asked.splice(0), [named(TOLD)]);
  bootstrap.start();
  t.same(asked.splice(0), [named(SAVED)]);
  bootstrap.addSavedNodes([node('0c', '192.0.2.4')]);
  t.same(asked, ['0c@192.0.2.4:33445', named(SAVED)]);
  bootstrap.stop();
});

t.test('our own node is never asked', async (t) => {
  const { asked, bootstrap } = start();
  bootstrap.start();
  bootstrap.addSavedNodes([OWN]);
  bootstrap.addNode(OWN);
  t.same(asked, []);
  t.same(bootstrap.counts, { known: 0, answering: 0 });
});

t.test('a node that knows only its local network continues with the saved nodes', async (t) => {
  const { asked, network, bootstrap } = start();
  bootstrap.addSavedNodes([SAVED]);
  network.isConnected = true;
  bootstrap.tick(0);
  t.same(asked, [named(SAVED)]);
  network.isBeyondLan = true;
  bootstrap.tick(60_000);
  t.equal(asked.length, 1);
});

t.test('after a loss of all nodes, the nodes that answered are asked again', async (t) => {
  const { asked, network, bootstrap } = start();
  bootstrap.addNode(TOLD);
  bootstrap.answered(TOLD);
  network.isConnected = true;
  t.same(bootstrap.counts, { known: 1, answering: 1 });
  asked.length = 0;
  bootstrap.noteLost();
  t.same(asked, [named(TOLD)]);
  t.same(bootstrap.counts, { known: 1, answering: 0 });
  bootstrap.stop();
});

t.test('after a disruption the saved nodes are tried again without a pause', async (t) => {
  const { clock, asked, bootstrap } = start();
  bootstrap.addSavedNodes([SAVED]);
  bootstrap.start();
  bootstrap.tick(1_000);
  t.equal(asked.length, 1, 'it rests after a round of all');
  bootstrap.refresh();
  bootstrap.tick(1_000);
  t.equal(asked.length, 2);
  bootstrap.stop();
  t.equal(clock.pending, 0);
});

t.test('a node is asked at once, then less and less often, until it answers', async (t) => {
  const { clock, asked, bootstrap } = start();
  bootstrap.addNode(TOLD);
  t.equal(asked.length, 1);
  clock.advance(250);
  t.equal(asked.length, 2);
  clock.advance(500);
  t.equal(asked.length, 3);
  bootstrap.answered(TOLD);
  clock.advance(600_000);
  t.equal(asked.length, 3);
});

t.test('a node that never answers is given up once others have', async (t) => {
  const { clock, asked, network, bootstrap } = start();
  bootstrap.addNode(TOLD);
  network.isConnected = true;
  clock.advance(600_000);
  t.ok(asked.length >= 5 && asked.length <= 7, `${asked.length}`);
  t.equal(clock.pending, 0);
});

t.test(
  'while no node answers, nodes are asked often enough to find the network within two seconds of its return',
  async (t) => {
    const { clock, asked, bootstrap } = start();
    bootstrap.addNode(TOLD);
    clock.advance(600_000);
    t.ok(asked.length > 290 && asked.length < 310, `${asked.length}`);
  },
);

t.test('asking any number of bootstrap nodes costs at most four packets a second', async (t) => {
  const { clock, asked, bootstrap } = start();
  for (let index = 0; index < 100; index += 1) bootstrap.addNode(node('0b', '192.0.2.1', 1 + index));
  clock.advance(600_000);
  const before = asked.length;
  clock.advance(100_000);
  t.ok(asked.length - before <= 410, `${asked.length - before} in 100 s`);
});

t.test('after a loss of all nodes every bootstrap node is asked again', async (t) => {
  const { clock, asked, bootstrap } = start();
  bootstrap.addNode(TOLD);
  bootstrap.answered(TOLD);
  bootstrap.noteLost();
  clock.advance(250);
  t.equal(asked.length, 3);
});

t.test('a node added twice is asked as one, and the number of nodes is bounded', async (t) => {
  const { clock, bootstrap } = start();
  bootstrap.addNode(TOLD);
  bootstrap.addNode(TOLD);
  t.equal(clock.pending, 1);
  for (let index = 0; index < 1000; index += 1) bootstrap.addNode(node('0b', '192.0.2.1', 1 + index));
  t.equal(clock.pending, 256);
});

t.test('after stop no node is asked', async (t) => {
  const { clock, asked, bootstrap } = start();
  bootstrap.addNode(TOLD);
  bootstrap.stop();
  bootstrap.noteLost();
  clock.advance(60_000);
  t.equal(asked.length, 1);
  t.equal(clock.pending, 0);
});

t.test('nodes are counted by key, as are those that answered since the last restart', async (t) => {
  const { bootstrap } = start();
  const other = node('0b', '192.0.2.4');
  bootstrap.addNode(TOLD);
  bootstrap.addNode(node('0a', '192.0.2.77'));
  bootstrap.addNode(other);
  t.same(bootstrap.counts, { known: 2, answering: 0 });
  bootstrap.answered(TOLD);
  bootstrap.answered(node('0c', '192.0.2.3'));
  t.same(bootstrap.counts, { known: 2, answering: 1 }, 'a stranger is none of them');
  bootstrap.noteLost();
  t.same(bootstrap.counts, { known: 2, answering: 0 });
});

const nodes = (count: number) => Array.from({ length: count }, (_, index) => node('0a', '192.0.2.1', 1 + index));

t.test('eight saved nodes are asked a second, with a pause after each round', async (t) => {
  const { asked, bootstrap } = start();
  bootstrap.addSavedNodes(nodes(20));
  bootstrap.tick(0);
  t.equal(asked.length, 8);
  bootstrap.tick(1000);
  bootstrap.tick(2000);
  t.equal(asked.length, 20);
  t.equal(new Set(asked).size, 20);
  bootstrap.tick(3000);
  t.equal(asked.length, 20);
  bootstrap.tick(6000);
  t.equal(asked.length, 28);
});

t.test('no saved node is asked while connected', async (t) => {
  const { asked, network, bootstrap } = start();
  bootstrap.addSavedNodes(nodes(20));
  Object.assign(network, { isConnected: true, isBeyondLan: true });
  bootstrap.tick(0);
  t.equal(asked.length, 0);
  network.isConnected = false;
  bootstrap.tick(1000);
  t.equal(asked.length, 8, 'but when that is over');
});

t.test('the number of saved nodes is bounded', async (t) => {
  const { asked, bootstrap } = start();
  bootstrap.addSavedNodes(nodes(5000));
  for (let now = 0; now < 1_000_000; now += 1000) bootstrap.tick(now);
  t.equal(new Set(asked).size, 512);
});
