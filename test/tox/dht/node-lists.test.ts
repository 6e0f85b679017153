import t from 'tap';
import { NodeLists } from '../../../src/tox/dht/node-lists.js';
import { ManualClock } from '../../support/manual-clock.js';
import { at, keyOf, named, node } from '../../support/nodes.js';
import { SeededRandom } from '../../support/seeded-random.js';

const OWN = keyOf('00');
const FRIEND = keyOf('ff');
const [A, B] = [node('0a', '192.0.2.1'), node('0b', '192.0.2.2')];

function start() {
  const clock = new ManualClock();
  const asked: string[] = [];
  const lists = new NodeLists(
    {
      clock,
      random: new SeededRandom(1),
      ask: (info, target) => asked.push(`${named(info)} about ${target.hex.slice(0, 2)}`),
      ping: () => {},
      sendNatPing: () => {},
      showOurselves: () => {},
      isReachable: ({ endpoint }) => endpoint.family === 4,
      isSuspect: () => false,
    },
    { ownKey: OWN },
  );
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
