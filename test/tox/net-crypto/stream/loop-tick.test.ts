import t from 'tap';
import { LoopTick } from '../../../../src/tox/net-crypto/stream/loop-tick.js';
import { ManualClock } from '../../../support/manual-clock.js';

t.test('a task runs once at the end of the tick, however often it was deferred', async (t) => {
  const clock = new ManualClock();
  const tick = new LoopTick(clock);
  let calls = 0;
  const task = {
    onTickEnd: () => {
      calls += 1;
    },
  };
  tick.deferToEnd(task);
  tick.deferToEnd(task);
  t.equal(calls, 0);
  clock.advance(0);
  t.equal(calls, 1);
  clock.advance(100);
  t.equal(calls, 1);
});

t.test('a task deferred at the end of a tick runs in the next one', async (t) => {
  const clock = new ManualClock();
  const tick = new LoopTick(clock);
  let calls = 0;
  const task = {
    onTickEnd: () => {
      calls += 1;
      if (calls < 3) tick.deferToEnd(task);
    },
  };
  tick.deferToEnd(task);
  clock.advance(1);
  t.equal(calls, 3);
});

t.test('what a datagram has scheduled, such as a write to a local program, runs before the tasks', async (t) => {
  const clock = new ManualClock();
  const tick = new LoopTick(clock);
  const done: string[] = [];
  for (let packet = 0; packet < 2; packet += 1) {
    tick.now();
    if (packet === 0) clock.soon(() => done.push('write'));
    tick.deferToEnd({ onTickEnd: () => done.push('task') });
  }
  clock.advance(0);
  t.strictSame(done, ['write', 'task', 'task']);
});

t.test('the clock is read once per tick', async (t) => {
  const clock = new ManualClock();
  let reads = 0;
  const tick = new LoopTick({
    now: () => {
      reads += 1;
      return clock.now();
    },
    unixTime: () => clock.unixTime(),
    after: (delay, callback) => clock.after(delay, callback),
    every: (interval, callback) => clock.every(interval, callback),
    soon: (callback) => clock.soon(callback),
  });
  for (let packet = 0; packet < 32; packet += 1) tick.now();
  t.equal(reads, 1);
  clock.advance(5);
  t.equal(tick.now(), 5);
});

t.test('a stopped tick runs no task', async (t) => {
  const clock = new ManualClock();
  const tick = new LoopTick(clock);
  tick.deferToEnd({ onTickEnd: () => t.fail('called') });
  tick.stop();
  clock.advance(10);
  t.equal(clock.pending, 0);
});
