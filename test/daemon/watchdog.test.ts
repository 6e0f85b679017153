import { setImmediate } from 'node:timers/promises';
import t from 'tap';
import { silentLogger } from '../../src/base/logger.js';
import { Watchdog } from '../../src/daemon/watchdog.js';
import { ManualClock } from '../support/manual-clock.js';

t.test('is fed at once and each interval, as long as the socket lives', async (t) => {
  const clock = new ManualClock();
  let [isAlive, fed] = [true, 0];
  const watchdog = new Watchdog(
    {
      clock,
      log: silentLogger,
      proveAlive: async () => isAlive,
      feed: () => {
        fed += 1;
      },
    },
    1_000,
  );
  await setImmediate();
  t.equal(fed, 1);
  clock.advance(1_000);
  await setImmediate();
  t.equal(fed, 2);
  isAlive = false;
  clock.advance(1_000);
  await setImmediate();
  t.equal(fed, 2, 'a socket that carries nothing starves it');
  isAlive = true;
  clock.advance(1_000);
  await setImmediate();
  t.equal(fed, 3);
  watchdog.stop();
  clock.advance(10_000);
  await setImmediate();
  t.equal(fed, 3);
});

t.test('a proof that does not come starves it, and is not asked for twice', async (t) => {
  const clock = new ManualClock();
  let [asked, fed] = [0, 0];
  let answer: (isAlive: boolean) => void = () => {};
  const proveAlive = (): Promise<boolean> => {
    asked += 1;
    return new Promise((resolve) => {
      answer = resolve;
    });
  };
  const feed = (): void => {
    fed += 1;
  };
  const watchdog = new Watchdog({ clock, log: silentLogger, proveAlive, feed }, 1_000);
  clock.advance(5_000);
  await setImmediate();
  t.same([asked, fed], [1, 0]);
  answer(true);
  await setImmediate();
  t.same([asked, fed], [1, 1]);
  watchdog.stop();
});
