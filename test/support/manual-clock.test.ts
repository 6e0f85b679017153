import t from 'tap';
import { ManualClock } from './manual-clock.js';
import { SeededRandom } from './seeded-random.js';

t.test('time stands still until it is advanced', async (t) => {
  const clock = new ManualClock(1000);
  t.equal(clock.now(), 0);
  clock.advance(2500);
  t.equal(clock.now(), 2500);
  t.equal(clock.unixTime(), 1002);
});

t.test('timers fire in order of their time, then of their making, each at its exact time', async (t) => {
  const clock = new ManualClock();
  const fired: string[] = [];
  const note = (name: string) => () => fired.push(`${name}@${clock.now()}`);
  clock.after(30, note('c'));
  clock.after(10, note('a'));
  clock.after(10, note('b'));
  clock.soon(note('soon'));
  clock.after(-5, note('late'));
  clock.advance(29);
  t.same(fired, ['soon@0', 'late@0', 'a@10', 'b@10']);
  clock.advance(1);
  t.equal(fired.at(-1), 'c@30');
  t.equal(clock.pending, 0);
});

t.test('a repeating timer goes on until it is cancelled, from outside or from its own callback', async (t) => {
  const clock = new ManualClock();
  let rounds = 0;
  const timer = clock.every(10, () => {
    rounds += 1;
    if (rounds === 3) timer.cancel();
  });
  clock.advance(100);
  t.equal(rounds, 3);
  let others = 0;
  const other = clock.every(10, () => {
    others += 1;
  });
  clock.advance(25);
  other.cancel();
  other.cancel();
  clock.advance(100);
  t.equal(others, 2);
  t.equal(clock.pending, 0);
});

t.test('a timer may make and cancel others', async (t) => {
  const clock = new ManualClock();
  const fired: number[] = [];
  const doomed = clock.after(20, () => t.fail('was cancelled'));
  clock.after(10, () => {
    doomed.cancel();
    clock.after(5, () => fired.push(clock.now()));
    clock.soon(() => fired.push(clock.now()));
  });
  clock.advance(100);
  t.same(fired, [10, 15]);
});

t.test('cancelling a timer that fired is harmless', async (t) => {
  const clock = new ManualClock();
  const timer = clock.after(1, () => {});
  clock.after(50, () => {});
  clock.advance(10);
  timer.cancel();
  t.equal(clock.pending, 1);
});

t.test('runs until a condition holds, or its limit', async (t) => {
  const clock = new ManualClock();
  let done = false;
  clock.after(40, () => {
    done = true;
  });
  t.ok(clock.runUntil(() => done, 1000));
  t.equal(clock.now(), 40, 'and no further');
  t.notOk(clock.runUntil(() => false, 60));
  t.equal(clock.now(), 100);
});

t.test('keeps the order of many timers, of which some are cancelled', async (t) => {
  const clock = new ManualClock();
  const random = new SeededRandom(1);
  const fired: number[] = [];
  const timers = Array.from({ length: 2000 }, () => {
    const delay = random.below(500);
    return { delay, timer: clock.after(delay, () => fired.push(delay)) };
  });
  const kept = timers.filter(({ timer }, index) => {
    if (index % 3 === 0) timer.cancel();
    return index % 3 !== 0;
  });
  t.equal(clock.pending, kept.length);
  clock.advance(500);
  t.same(
    fired,
    kept.map(({ delay }) => delay).sort((a, b) => a - b),
  );
  t.equal(clock.pending, 0);
});
