import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import t from 'tap';
import { systemClock, type Timer } from '../../src/base/clock.js';

t.test('the system clock advances and has the date', async (t) => {
  const before = systemClock.now();
  await new Promise<void>((resolve) => systemClock.after(1, resolve));
  t.ok(systemClock.now() > before);
  t.ok(Number.isInteger(systemClock.unixTime()));
  t.ok(Math.abs(systemClock.unixTime() - Date.now() / 1000) < 5);
});

t.test('a repeating timer fires until it is cancelled', async (t) => {
  let rounds = 0;
  await new Promise<void>((resolve) => {
    const timer = systemClock.every(1, () => {
      rounds += 1;
      if (rounds < 3) return;
      timer.cancel();
      resolve();
    });
  });
  await new Promise<void>((resolve) => systemClock.after(10, resolve));
  t.equal(rounds, 3);
});

t.test('all work of a second is done at once, until it is cancelled', async (t) => {
  const said: string[] = [];
  const speak = (name: string) => (): void => {
    said.push(name);
    systemClock.soon(() => said.push('|'));
  };
  const first = systemClock.every(1_000, speak('first'));
  await new Promise<void>((resolve) => systemClock.after(300, resolve));
  const second = systemClock.every(1_000, speak('second'));
  await new Promise<void>((resolve) => systemClock.after(2_200, resolve));
  first.cancel();
  second.cancel();
  t.match(said.join(' '), 'first second | |');
  const { length } = said;
  await new Promise<void>((resolve) => systemClock.after(1_200, resolve));
  t.equal(said.length, length);
});

t.test('a cancelled timer that is kept does not keep what its callback refers to', async (t) => {
  setFlagsFromString('--expose-gc');
  const collectGarbage = runInNewContext('gc') as () => void;
  const { timers, referred } = kept();
  await new Promise<void>((resolve) => systemClock.after(1, resolve));
  collectGarbage();
  t.same(
    referred.map((one) => one.deref()),
    [undefined, undefined, undefined, undefined],
  );
  t.equal(timers.length, 4);
});

/** Timers of each kind, cancelled, with what their callbacks referred to. */
function kept(): { timers: Timer[]; referred: WeakRef<object>[] } {
  const referred: WeakRef<object>[] = [];
  const callback = (): (() => void) => {
    const one = { fired: false };
    referred.push(new WeakRef(one));
    return () => {
      one.fired = true;
    };
  };
  const timers = [
    systemClock.every(1_000, callback()),
    systemClock.every(10, callback()),
    systemClock.after(1_000, callback()),
    systemClock.soon(callback()),
  ];
  for (const timer of timers) timer.cancel();
  return { timers, referred };
}

t.test('soon precedes any delay, and can be cancelled', async (t) => {
  systemClock.soon(() => t.fail('was cancelled')).cancel();
  systemClock.after(1, () => t.fail('was cancelled')).cancel();
  await new Promise<void>((resolve) => systemClock.soon(resolve));
});

t.test("a delay longer than Node's limit does not fire at once", async (t) => {
  const warnings: Error[] = [];
  const onWarning = (warning: Error): number => warnings.push(warning);
  process.on('warning', onWarning);
  const timer = systemClock.after(2 ** 33, () => t.fail('fired'));
  await new Promise<void>((resolve) => systemClock.after(20, resolve));
  timer.cancel();
  process.off('warning', onWarning);
  t.same(warnings, []);
});
