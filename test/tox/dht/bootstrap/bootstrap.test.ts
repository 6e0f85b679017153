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
  const bootstrap = new Bootstrap(
    {
      clock,
      random: new SeededRandom(1),
      ask: (info) => asked.push(named(info)),
      isConnected: () => network.isConnected,
      isBeyondLan: () => network.isBeyondLan,
    },
    { ownKey: keyOf('00') },
  );
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
