import t from 'tap';
import { ReachabilityProbe } from '../../../src/tox/onion/reachability-probe.js';
import type { NodeInfo } from '../../../src/tox/packet/node-info.js';
import { ManualClock } from '../../support/manual-clock.js';
import { named, node } from '../../support/nodes.js';
import { SeededRandom } from '../../support/seeded-random.js';

const A = node('0a', '192.0.2.1');
const B = node('0b', '192.0.2.2');

function start(storing: NodeInfo[]) {
  const clock = new ManualClock();
  const sent: string[] = [];
  const events: string[] = [];
  const broken = new Set<NodeInfo>();
  const calls: ReachabilityProbe = new ReachabilityProbe({
    clock,
    random: new SeededRandom(1),
    storing: () => storing,
    send: (at, data) => {
      sent.push(named(at));
      if (!broken.has(at)) clock.after(300, () => calls.receive(data));
    },
    onUnanswered: (at) => events.push(`unanswered ${named(at)}`),
    onLost: () => events.push('lost'),
  });
  calls.start();
  return { clock, calls, sent, events, broken };
}

t.test('one node after the other is probed, at a rate that does not depend on their number', async (t) => {
  const { clock, sent, events } = start([A, B]);
  clock.advance(10_000);
  t.same(sent, [named(A), named(B), named(A), named(B)]);
  clock.advance(90_000);
  t.equal(sent.length, 40);
  t.same(events, []);
});

t.test('a node through which nothing comes is reported after three failed probes', async (t) => {
  const { clock, calls, sent, events, broken } = start([A, B]);
  broken.add(A);
  clock.advance(7_000);
  t.same(events, [`unanswered ${named(A)}`]);
  t.same(sent.slice(0, 2), [named(A), named(A)]);
  clock.advance(60_000);
  t.notOk(events.includes('lost'), 'as long as the other one works, we are reached');
  t.ok(calls.isProven);
});

t.test(
  'when no probe comes back we are unreachable within twenty seconds, and this is reported again while it lasts',
  async (t) => {
    const { clock, calls, events, broken } = start([A, B]);
    clock.advance(10_000);
    broken.add(A).add(B);
    clock.advance(20_000);
    t.equal(events.filter((event) => event === 'lost').length, 1);
    t.notOk(calls.isProven);
    clock.advance(60_000);
    t.ok(events.filter((event) => event === 'lost').length > 1);
  },
);

t.test('another proof counts as well as a probe', async (t) => {
  const { clock, calls, events, broken } = start([A]);
  broken.add(A);
  for (let round = 0; round < 12; round += 1) {
    clock.advance(5_000);
    calls.confirm();
  }
  t.notOk(events.includes('lost'));
});

t.test('data that we did not send proves nothing', async (t) => {
  const { clock, calls, broken } = start([A]);
  broken.add(A);
  clock.advance(20_000);
  t.notOk(calls.receive(Buffer.from([1, 1, 2, 3, 4, 5, 6, 7, 8])));
  t.notOk(calls.receive(Buffer.alloc(0)));
  t.notOk(calls.isProven);
});

t.test('without storing nodes nothing is sent, and after stop no timer is left', async (t) => {
  const { clock, calls, sent } = start([]);
  clock.advance(100_000);
  t.same(sent, []);
  calls.stop();
  t.equal(clock.pending, 0);
});
