import t from 'tap';
import { ProbeRttSchedule, type StartupResult } from '../../../../src/tox/net-crypto/congestion/probe-rtt-schedule.js';

const RAISED = { isRaised: true, isLossy: false };
const STARTED: StartupResult = { age: 1_000, rate: 1_000, firstWindow: 100_000 };
const LOSSY = { isRaised: false, isLossy: true };

const after = (rounds: number, round: { readonly isRaised: boolean; readonly isLossy: boolean }): ProbeRttSchedule => {
  const schedule = new ProbeRttSchedule();
  for (let count = 0; count < rounds; count += 1) schedule.endRound(round, 100);
  return schedule;
};

t.test('without a raised round trip and losses no phase is due, however long ago the last one was', async (t) => {
  t.notOk(after(100, { isRaised: false, isLossy: false }).isDue(1e9));
});

t.test('a phase is due after eight raised round trips in a row, 5 s after the last one', async (t) => {
  t.notOk(after(7, RAISED).isDue(10_000));
  t.notOk(after(8, RAISED).isDue(4_999));
  t.ok(after(8, RAISED).isDue(5_000));
});

t.test('a phase is due when most rounds lose packets though the round trip is not raised', async (t) => {
  t.notOk(after(3, LOSSY).isDue(10_000));
  t.ok(after(20, LOSSY).isDue(10_000));
});

t.test('losses while the round trip is shorter than in other rounds are no reason for a phase', async (t) => {
  const schedule = new ProbeRttSchedule();
  for (let count = 0; count < 100; count += 1) {
    schedule.endRound(LOSSY, count % 8 === 0 ? 120 : 100);
    t.notOk(schedule.isDue(10_000));
  }
});

t.test(
  'losses after a phase that found no lower round trip are random: the next one is due later and later',
  async (t) => {
    const schedule = after(20, LOSSY);
    let now = 5_000;
    for (const wait of [10_000, 20_000, 40_000, 80_000, 80_000]) {
      schedule.begin(50, now);
      schedule.end(49, STARTED);
      t.notOk(schedule.isDue(now + wait - 1));
      now += wait;
      t.ok(schedule.isDue(now));
    }
  },
);

t.test('a phase that found a lower round trip is soon followed by another one while losses last', async (t) => {
  const schedule = after(20, LOSSY);
  schedule.begin(50, 5_000);
  schedule.end(49, STARTED);
  schedule.begin(50, 20_000);
  schedule.end(40, STARTED);
  t.ok(schedule.isDue(25_000));
});

t.test(
  'Startup begins again when it ended just before, with less than its first window, at a round trip that was too small',
  async (t) => {
    const begins = (roundTrip: number, startup: Partial<StartupResult> = {}): boolean => {
      const schedule = new ProbeRttSchedule();
      schedule.begin(40, 10_000);
      return schedule.end(roundTrip, { ...STARTED, ...startup });
    };
    t.ok(begins(61));
    t.notOk(begins(60), 'not much longer than was known');
    t.notOk(begins(200, { age: 5_000 }), 'long ago');
    t.notOk(begins(200, { rate: 2_500 }), 'more than the first window');
  },
);
