import t from 'tap';
import { ListMaintainer } from '../../../../src/tox/dht/routing/list-maintainer.js';
import { NodeList } from '../../../../src/tox/dht/routing/node-list.js';
import { ManualClock } from '../../../support/manual-clock.js';
import { keyOf, named, node } from '../../../support/nodes.js';
import { SeededRandom } from '../../../support/seeded-random.js';

const TARGET = keyOf('00');
const A = node('0a', '192.0.2.1');
const B = node('0b', '192.0.2.2');

function start(isSettled = false) {
  const clock = new ManualClock();
  const asked: string[] = [];
  const maintainer = new ListMaintainer(
    {
      clock,
      random: new SeededRandom(1),
      ask: (info, target) => asked.push(`${named(info)} about ${target.hex.slice(0, 2)}`),
    },
    { list: NodeList.search(TARGET), isSettled: () => isSettled },
  );
  return { clock, asked, maintainer };
}

/** Two nodes, and the quick rounds are over; then each second until `end`, ms, something is heard, and the list does its work. */
function askedUntil(end: number, hear: (maintainer: ListMaintainer, now: number) => void): readonly string[] {
  const { clock, asked, maintainer } = start(true);
  for (const info of [A, B]) maintainer.answered(info, TARGET, 0);
  clock.advance(10_000);
  asked.length = 0;
  while (clock.now() < end) {
    clock.advance(1000);
    hear(maintainer, clock.now());
    maintainer.tick(clock.now());
  }
  return asked;
}

const ABOUT_TARGET = '0a@192.0.2.1:33445 about 00';

t.test('a node that answered about something else is asked about our target at once', async (t) => {
  const { asked, maintainer } = start();
  t.equal(maintainer.answered(A, keyOf('ff'), 0), 'new');
  t.same(asked, [ABOUT_TARGET]);
});

t.test('a node that answered about our target is not asked again at once', async (t) => {
  const { clock, asked, maintainer } = start();
  maintainer.offer(A);
  maintainer.answered(A, TARGET, 0);
  clock.advance(99);
  t.same(asked, [ABOUT_TARGET]);
});

t.test('an answer to another request does not repeat the request in flight', async (t) => {
  const { asked, maintainer } = start();
  maintainer.offer(A);
  maintainer.answered(A, undefined, 0);
  t.same(asked, [ABOUT_TARGET]);
});

t.test('five quick rounds follow when the list has its first node', async (t) => {
  const { clock, asked, maintainer } = start();
  maintainer.answered(A, TARGET, 0);
  clock.advance(100);
  t.equal(asked.length, 1);
  clock.advance(10_000);
  t.equal(asked.length, 5);
  t.equal(clock.pending, 0);
});

t.test('a random node is asked every 20 s, and each node every 60 s', async (t) => {
  const { clock, asked, maintainer } = start();
  maintainer.answered(A, TARGET, 0);
  clock.advance(10_000);
  asked.length = 0;
  const tickUntil = (end: number): number => {
    while (clock.now() < end) {
      clock.advance(1000);
      maintainer.tick(clock.now());
    }
    return asked.length;
  };
  t.equal(tickUntil(22_000), 0, 'the last quick round was at 3.1 s');
  t.equal(tickUntil(24_000), 1);
  t.equal(tickUntil(59_000), 2);
  t.equal(tickUntil(60_000), 3);
});

t.test('nodes that were found together are asked again at different seconds', async (t) => {
  const { clock, asked, maintainer } = start();
  const nodes = [0, 1, 2, 15].map((last) => node(last.toString(16).padStart(64, '0'), `192.0.2.${last}`));
  for (const info of nodes) maintainer.answered(info, TARGET, 0);
  clock.advance(44_000);
  maintainer.tick(clock.now());
  const counts = Array.from({ length: 16 }, () => {
    asked.length = 0;
    clock.advance(1000);
    maintainer.tick(clock.now());
    for (const info of nodes) maintainer.answered(info, TARGET, clock.now());
    return asked.length;
  });
  t.same(counts, [1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1]);
});

t.test('a settled list does not ask nodes that answer other lists, and asks a random node each minute', async (t) => {
  const asked = askedUntil(600_000, (maintainer, now) => {
    // Both answer the list of those near to us once a minute.
    if (now % 60_000 === 0) for (const info of [A, B]) maintainer.answered(info, keyOf('ff'), now);
  });
  t.equal(asked.length, 9, 'first 60 s after the last quick round');
});

t.test('a settled list asks a node that answers no other list in time', async (t) => {
  const asked = askedUntil(121_000, (maintainer, now) => void maintainer.answered(A, keyOf('ff'), now));
  t.ok(asked.filter((what) => what.startsWith('0b')).length >= 1, `${asked}`);
});

t.test('one lost packet does not make a node of a settled list bad', async (t) => {
  // Of the seconds at which lists ask, this key has the last one.
  const target = keyOf('07');
  const clock = new ManualClock();
  const list = NodeList.search(target);
  const askedAt: number[] = [];
  const ask = (info: typeof A): void => {
    if (info.publicKey.equals(A.publicKey)) askedAt.push(clock.now());
    if (askedAt.length !== 1) clock.after(50, () => maintainer.answered(info, target, clock.now()));
  };
  // The nearest one, which B is, is the random one each time.
  const random = Object.assign(new SeededRandom(1), { below: () => 0 });
  const maintainer: ListMaintainer = new ListMaintainer({ clock, random, ask }, { list, isSettled: () => true });
  for (const info of [A, B]) maintainer.answered(info, target, 0);
  while (clock.now() < 300_000) {
    clock.advance(1000);
    maintainer.tick(clock.now());
    if (list.find(A.publicKey)?.isGood(clock.now()) !== true) t.fail(`bad at ${clock.now()} ms`);
  }
  t.same(askedAt.slice(0, 2), [69_000, 119_000], 'and the first one is lost');
});

t.test('a bad node is still asked, and a dead one is not while others live', async (t) => {
  const { asked, maintainer } = start();
  maintainer.answered(A, TARGET, 0);
  maintainer.answered(B, TARGET, 100_000);
  maintainer.tick(150_000);
  t.ok(asked.includes(ABOUT_TARGET));
  asked.length = 0;
  maintainer.tick(215_000);
  t.notOk(asked.includes(ABOUT_TARGET));
});

t.test('when all nodes are dead they are asked again, because our own line was down', async (t) => {
  const { asked, maintainer } = start();
  maintainer.answered(A, TARGET, 0);
  maintainer.tick(500_000);
  t.same(asked, []);
  maintainer.tick(501_000);
  t.same(asked, [ABOUT_TARGET]);
});
