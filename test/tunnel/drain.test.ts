import t from 'tap';
import { waitUntilIdle } from '../../src/tunnel/drain.js';
import { ManualClock } from '../support/manual-clock.js';

const tunnel = (bytesSent: number, backlog = 0) => ({ bytesSent, bytesReceived: 0, backlog });

/** @param at the tunnels that are open at a time, ms @returns when the wait was over, ms */
async function overAfter(at: (now: number) => ReturnType<typeof tunnel>[]): Promise<number> {
  const clock = new ManualClock();
  let over: number | undefined;
  void waitUntilIdle(clock, () => at(clock.now())).then(() => {
    over = clock.now();
  });
  for (;;) {
    await Promise.resolve();
    await Promise.resolve();
    if (over !== undefined) {
      if (clock.pending > 0) throw new Error('a timer is left');
      return over;
    }
    clock.advance(250);
  }
}

t.test('without tunnels there is no wait', async (t) => {
  t.equal(await overAfter(() => []), 0);
});

t.test('idle tunnels end the wait after 2 s', async (t) => {
  t.equal(await overAfter(() => [tunnel(7), tunnel(8)]), 2_000);
});

t.test('a transfer continues to its end, and its last bytes have 2 s to arrive', async (t) => {
  t.equal(await overAfter((now) => (now < 5_000 ? [tunnel(now)] : [])), 7_000);
});

t.test('bytes that waited for a slow program count when they are delivered', async (t) => {
  t.equal(await overAfter((now) => [tunnel(7, Math.max(0, 3_000 - now))]), 5_000);
});

t.test('the wait ends after 10 s', async (t) => {
  t.equal(await overAfter((now) => [tunnel(now)]), 10_000);
});
