import t from 'tap';
import { Repeater } from '../../src/base/repeater.js';
import { ManualClock } from '../support/manual-clock.js';

t.test('a repeater acts after each gap and repeats the last one', async (t) => {
  const clock = new ManualClock();
  const times: number[] = [];
  const repeater = new Repeater(clock, [10, 50, 100], () => times.push(clock.now()));
  repeater.start();
  clock.advance(400);
  t.same(times, [10, 60, 160, 260, 360]);
});

t.test('a second start has no effect, and a start after a stop begins again', async (t) => {
  const clock = new ManualClock();
  let count = 0;
  const repeater = new Repeater(clock, [10, 1000], () => {
    count += 1;
  });
  repeater.start();
  clock.advance(15);
  repeater.start();
  clock.advance(100);
  t.equal(count, 1);
  repeater.stop();
  t.notOk(repeater.isRunning);
  t.equal(clock.pending, 0);
  repeater.start();
  clock.advance(10);
  t.equal(count, 2);
});

t.test('a repeater may be stopped from inside its action', async (t) => {
  const clock = new ManualClock();
  let count = 0;
  const repeater: Repeater = new Repeater(clock, [10], () => {
    count += 1;
    repeater.stop();
  });
  repeater.start();
  clock.advance(100);
  t.equal(count, 1);
  t.equal(clock.pending, 0);
});
