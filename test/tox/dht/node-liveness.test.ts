import t from 'tap';
import { NodeLiveness } from '../../../src/tox/dht/node-liveness.js';
import { NodeList } from '../../../src/tox/dht/routing/node-list.js';
import type { NodeInfo } from '../../../src/tox/packet/node-info.js';
import { ManualClock } from '../../support/manual-clock.js';
import { named, node } from '../../support/nodes.js';
import { SeededRandom } from '../../support/seeded-random.js';

const A = node('0a', '192.0.2.1');
const B = node('0b', '192.0.2.2');
const STRANGER = node('0c', '192.0.2.3');

function start() {
  const clock = new ManualClock();
  const close = NodeList.close(node('ff', '192.0.2.9').publicKey);
  const pinged: string[] = [];
  const suspected: string[] = [];
  const alive = new Set<NodeInfo>();
  const liveness = new NodeLiveness({
    clock,
    random: new SeededRandom(1),
    close,
    ping: (info) => {
      pinged.push(named(info));
      for (const one of alive) if (one.publicKey.equals(info.publicKey)) clock.after(50, () => hear(one));
    },
    onSuspect: (info) => suspected.push(named(info)),
  });
  const hear = (info: NodeInfo): void => {
    close.insert(info.publicKey, info.endpoint, clock.now());
    liveness.answered(info);
  };
  hear(A);
  hear(B);
  clock.every(1_000, () => liveness.tick(clock.now()));
  clock.advance(20_000);
  return { clock, liveness, pinged, suspected, alive, hear };
}

t.test('a node that answers a ping is not suspect', async (t) => {
  const { clock, liveness, pinged, suspected, alive } = start();
  alive.add(A);
  liveness.check(A);
  clock.advance(10_000);
  t.same(pinged, [named(A)]);
  t.same(suspected, []);
});

t.test('a node that does not answer three pings is suspect within two seconds, until it answers', async (t) => {
  const { clock, liveness, suspected, alive, hear } = start();
  alive.add(B);
  liveness.check(A);
  clock.advance(2_000);
  t.same(suspected, [named(A)]);
  t.ok(liveness.isSuspect(A.publicKey));
  t.notOk(liveness.isSuspect(B.publicKey));
  hear(A);
  t.notOk(liveness.isSuspect(A.publicKey));
});

t.test('a suspect node is pinged again, less and less often', async (t) => {
  const { clock, liveness, alive } = start();
  alive.add(B);
  liveness.check(A);
  clock.advance(60_000);
  t.ok(liveness.isSuspect(A.publicKey));
  alive.add(A);
  clock.advance(60_000);
  t.notOk(liveness.isSuspect(A.publicKey));
});

t.test('a node whose answer is overdue is checked and becomes suspect', async (t) => {
  const { clock, liveness, suspected, alive } = start();
  alive.add(B);
  liveness.asked(A);
  clock.advance(5_000);
  t.same(suspected, [named(A)]);
});

t.test('nothing is stored about nodes that are not near to us', async (t) => {
  const { clock, liveness, pinged } = start();
  liveness.asked(STRANGER);
  liveness.check(STRANGER);
  clock.advance(10_000);
  t.same(pinged, []);
});

t.test('when no node answers the line is silent, no node is suspect, and two pings a second go out', async (t) => {
  const { clock, liveness, pinged, hear } = start();
  liveness.asked(A);
  liveness.asked(B);
  clock.advance(8_000);
  t.ok(liveness.isSilent);
  t.notOk(liveness.isSuspect(A.publicKey));
  clock.advance(3_600_000);
  const before = pinged.length;
  clock.advance(100_000);
  t.ok(pinged.length - before >= 200 && pinged.length - before < 220, `${pinged.length - before} in 100 s`);
  hear(A);
  t.notOk(liveness.isSilent);
});

t.test('after stop no node is pinged', async (t) => {
  const { clock, liveness, pinged } = start();
  liveness.check(A);
  liveness.stop();
  clock.advance(500);
  t.same(pinged, []);
});

/** Six more nodes near to us, of which `living` answer. */
function amongMany(living: number) {
  const started = start();
  const nodes = Array.from({ length: 6 }, (_, index) => node(`1${index}`, `198.51.100.${index}`));
  for (const one of nodes) started.hear(one);
  for (const one of nodes.slice(0, living)) started.alive.add(one);
  started.clock.advance(2_000);
  return { ...started, nodes };
}

t.test('many dead nodes beside one that answers do not make our line silent', async (t) => {
  const { clock, liveness, nodes, suspected } = amongMany(1);
  for (let second = 0; second < 60; second += 1) {
    for (const one of nodes.slice(1)) liveness.asked(one);
    clock.advance(1_000);
    if (liveness.isSilent) t.fail(`silent after ${second} s`);
  }
  for (const one of nodes.slice(1)) t.ok(suspected.includes(named(one)), named(one));
  t.notOk(liveness.isSuspect((nodes[0] as NodeInfo).publicKey));
});

t.test('the silence of the last live node is noticed 4 s after it was asked', async (t) => {
  const { clock, liveness, nodes, alive } = amongMany(1);
  for (const one of nodes.slice(1)) liveness.asked(one);
  clock.advance(20_000);
  t.notOk(liveness.isSilent);
  alive.clear();
  liveness.asked(nodes[0] as NodeInfo);
  clock.advance(4_100);
  t.ok(liveness.isSilent);
});

t.test('a dead node is not pinged any more', async (t) => {
  const { clock, liveness, pinged, alive } = start();
  alive.add(B);
  liveness.check(A);
  clock.every(60_000, () => liveness.asked(B));
  clock.advance(182_000);
  pinged.length = 0;
  clock.advance(3_600_000);
  t.notOk(pinged.includes(named(A)));
});
