import t from 'tap';
import type { Clock } from '../../src/base/clock.js';
import { Disruptions } from '../../src/tox/disruptions.js';
import { FreezableClock } from '../support/freezable-clock.js';
import { ManualClock } from '../support/manual-clock.js';

function start(make: (clock: ManualClock) => Clock = (clock) => clock) {
  const manual = new ManualClock();
  const reasons: string[] = [];
  const addresses = ['192.0.2.1'];
  const clock = make(manual);
  const disruptions = new Disruptions({
    clock,
    interfaces: () => addresses.map((address) => ({ address })),
    onDisruption: (reason) => reasons.push(reason),
  });
  disruptions.start();
  return { manual, disruptions, reasons, addresses };
}

t.test('regular ticks are no disruption', async (t) => {
  const { manual, reasons } = start();
  manual.advance(3_600_000);
  t.same(reasons, []);
});

t.test('a process that was stopped notices it once, as soon as it runs again', async (t) => {
  const clocks: FreezableClock[] = [];
  const { manual, reasons } = start((clock) => {
    clocks.push(new FreezableClock(clock));
    return clocks[0] as FreezableClock;
  });
  manual.advance(10_000);
  clocks[0]?.freeze();
  manual.advance(600_000);
  clocks[0]?.thaw();
  t.match(reasons, [/^asleep or stopped for (599|600) s$/]);
  manual.advance(60_000);
  t.equal(reasons.length, 1);
});

t.test('sleep is noticed by the wall clock when the monotonic clock stands still', async (t) => {
  let asleep = 0;
  const { manual, reasons } = start((clock) => ({
    now: () => clock.now(),
    unixTime: () => clock.unixTime() + asleep,
    after: (...all) => clock.after(...all),
    every: (...all) => clock.every(...all),
    soon: (...all) => clock.soon(...all),
  }));
  manual.advance(10_000);
  asleep = 3600;
  manual.advance(10_000);
  t.same(reasons, ['asleep or stopped for 3600 s']);
});

t.test(
  "a change of the machine's addresses is noticed within two seconds, and their order does not matter",
  async (t) => {
    const { manual, reasons, addresses } = start();
    addresses.push('192.0.2.2');
    manual.advance(2_000);
    t.equal(reasons.length, 1);
    addresses.reverse();
    manual.advance(10_000);
    t.equal(reasons.length, 1);
  },
);

t.test('link-local addresses, which change with containers, are no disruption', async (t) => {
  const { manual, reasons, addresses } = start();
  addresses.push('fe80::1%veth1');
  manual.advance(10_000);
  t.same(reasons, []);
});

t.test('after stop nothing is reported', async (t) => {
  const { manual, disruptions, reasons, addresses } = start();
  disruptions.stop();
  addresses.pop();
  manual.advance(10_000);
  t.same(reasons, []);
  t.equal(manual.pending, 0);
});
