import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { eventLoopLoad } from '../../../src/platform/runtime/event-loop.js';
import { ManualClock } from '../../support/manual-clock.js';

function work(milliseconds: number): void {
  const until = performance.now() + milliseconds;
  while (performance.now() < until);
}

t.test('the load rises with work and falls with rest', async (t) => {
  const clock = new ManualClock();
  const load = eventLoopLoad({ now: () => clock.now() });
  // In one turn of the loop each: what is between them is not measured.
  await sleep(1);
  work(300);
  clock.advance(300);
  const busy = load();
  t.ok(busy > 0.5, `${busy} at work`);
  await sleep(300);
  clock.advance(100);
  t.equal(load(), busy, 'as measured a moment ago');
  clock.advance(200);
  t.ok(load() < busy, `${load()} after a rest`);
});
