import t from 'tap';
import { whenIdle } from '../../../src/cli/tuntox/idle-watch.js';
import { ManualClock } from '../../support/manual-clock.js';

t.test('forwards are idle when none has had a connection for the time', async (t) => {
  const clock = new ManualClock();
  const forwards = [
    { pending: 0, traffic: { open: 0, total: 0 } },
    { pending: 0, traffic: { open: 0, total: 0 } },
  ];
  const [first, second] = forwards as [(typeof forwards)[number], (typeof forwards)[number]];
  let isIdle = false;
  void whenIdle(clock, forwards, 10_000).then(() => {
    isIdle = true;
  });
  const after = async (time: number): Promise<boolean> => {
    clock.advance(time);
    await null;
    return isIdle;
  };
  t.equal(await after(9_000), false);
  first.pending = 1;
  t.equal(await after(20_000), false, 'one waits for its tunnel');
  first.pending = 0;
  second.traffic.open = 1;
  second.traffic.total = 1;
  t.equal(await after(20_000), false, 'one is open');
  second.traffic.open = 0;
  t.equal(await after(9_000), false);
  second.traffic.total = 2;
  t.equal(await after(9_000), false, 'there was a short one');
  t.equal(await after(2_000), true, 'it was seen by the next look');
  t.equal(clock.pending, 0);
});
