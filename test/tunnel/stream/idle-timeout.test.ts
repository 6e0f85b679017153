import t from 'tap';
import { IdleTimeout } from '../../../src/tunnel/stream/idle-timeout.js';
import { ManualClock } from '../../support/manual-clock.js';

function start() {
  const clock = new ManualClock();
  const calls: number[] = [];
  const timeout = new IdleTimeout(clock, 1_000, () => calls.push(clock.now()));
  return { clock, calls, timeout };
}

t.test('the timeout does not run before it is started', async (t) => {
  const { clock, calls, timeout } = start();
  timeout.onData();
  clock.advance(60_000);
  t.same(calls, []);
  t.equal(clock.pending, 0);
});

t.test('the timeout runs from its start, or from later data', async (t) => {
  const { clock, calls, timeout } = start();
  clock.advance(5_000);
  timeout.start();
  clock.advance(600);
  timeout.onData();
  clock.advance(900);
  timeout.onData();
  clock.advance(999);
  t.same(calls, []);
  clock.advance(1);
  t.same(calls, [7_500]);
  clock.advance(60_000);
  t.same(calls, [7_500], 'once');
});

t.test('a stopped timeout has no timer', async (t) => {
  const { clock, calls, timeout } = start();
  timeout.start();
  timeout.stop();
  clock.advance(60_000);
  t.same(calls, []);
  t.equal(clock.pending, 0);
});
