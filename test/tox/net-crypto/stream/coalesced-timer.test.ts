import t from 'tap';
import { CoalescedTimer } from '../../../../src/tox/net-crypto/stream/coalesced-timer.js';
import { ManualClock } from '../../../support/manual-clock.js';

function start() {
  const clock = new ManualClock();
  const rings: number[] = [];
  const alarm = new CoalescedTimer(clock, (now) => rings.push(now));
  return { clock, rings, alarm };
}

t.test('the timer fires once, at the last time it was set for or up to 100 ms earlier', async (t) => {
  for (const [moments, expected] of [
    [[500, 200], 200],
    [[200, 299], 200],
    [[200, 300], 300],
    [[200, 900, 500], 500],
  ] as const) {
    const { clock, rings, alarm } = start();
    for (const at of moments) alarm.setFor(at, 0);
    t.equal(clock.pending, 1);
    clock.advance(1_000);
    t.same(rings, [expected], `${moments}`);
  }
});

t.test('a cancelled deadline does not fire the timer', async (t) => {
  const { clock, rings, alarm } = start();
  alarm.setFor(200, 0);
  alarm.setFor(Number.POSITIVE_INFINITY, 0);
  t.equal(clock.pending, 0);
  clock.advance(1_000);
  t.same(rings, []);
});

t.test('the timer can be set again after it has fired', async (t) => {
  const { clock, rings, alarm } = start();
  alarm.setFor(200, 0);
  clock.advance(300);
  alarm.setFor(900, 300);
  clock.advance(1_000);
  t.same(rings, [200, 900]);
});

t.test('a deadline that is overdue or less than a millisecond away fires in one millisecond', async (t) => {
  const { clock, rings, alarm } = start();
  clock.advance(50);
  alarm.setFor(10, 50);
  clock.advance(1);
  alarm.setFor(51.2, 51);
  clock.advance(1);
  t.same(rings, [51, 52]);
});

t.test('a timer set for never, or cancelled, does not fire', async (t) => {
  const { clock, rings, alarm } = start();
  alarm.setFor(Number.POSITIVE_INFINITY, 0);
  t.equal(clock.pending, 0);
  alarm.setFor(100, 0);
  alarm.cancel();
  t.equal(clock.pending, 0);
  clock.advance(1_000);
  t.same(rings, []);
  alarm.setFor(5_000, 1_000);
  clock.advance(10_000);
  t.same(rings, [5_000]);
});
