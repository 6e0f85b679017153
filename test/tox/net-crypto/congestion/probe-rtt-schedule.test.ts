import t from 'tap';
import { ProbeRttSchedule, type StartupResult } from '../../../../src/tox/net-crypto/congestion/probe-rtt-schedule.js';

const RAISED = { isRaised: true, isLossy: false };
/** The smallest round trip, ms. */
const MIN = 50;
const STARTED: StartupResult = { age: 1_000, rate: 1_000, firstWindow: 100_000 };
const LOSSY = { isRaised: false, isLossy: true };

const after = (rounds: number, round: { readonly isRaised: boolean; readonly isLossy: boolean }): ProbeRttSchedule => {
  const schedule = new ProbeRttSchedule();
  for (let count = 0; count < rounds; count += 1) schedule.endRound(round, 100);
  return schedule;
};

t.test('without a raised round trip and losses no phase is due, however long ago the last one was', async (t) => {
  t.notOk(after(100, { isRaised: false, isLossy: false }).isDue(MIN, 1e9));
});

t.test('a phase is due after eight raised round trips in a row, 5 s after the last one', async (t) => {
  t.notOk(after(7, RAISED).isDue(MIN, 10_000));
  t.notOk(after(8, RAISED).isDue(MIN, 4_999));
  t.ok(after(8, RAISED).isDue(MIN, 5_000));
});

t.test('a phase is due when most rounds lose packets though the round trip is not raised', async (t) => {
  t.notOk(after(3, LOSSY).isDue(MIN, 10_000));
  t.ok(after(20, LOSSY).isDue(MIN, 10_000));
});

t.test('a phase is due while the smallest round trip is much longer than that of earlier times', async (t) => {
  const schedule = new ProbeRttSchedule();
  t.notOk(schedule.isDue(40, 10_000));
  t.notOk(schedule.isDue(54, 10_000), 'a quarter and 4 ms');
  t.ok(schedule.isDue(55, 10_000));
});

t.test('such phases follow each other soon if they find lower round trips, and else later and later', async (t) => {
  const schedule = new ProbeRttSchedule();
  schedule.isDue(40, 0);
  schedule.begin(120, 5_000);
  schedule.end(90, STARTED);
  t.notOk(schedule.isDue(90, 9_999));
  t.ok(schedule.isDue(90, 10_000));
  schedule.begin(90, 10_000);
  schedule.end(89, STARTED);
  t.notOk(schedule.isDue(89, 19_999));
  t.ok(schedule.isDue(89, 20_000));
});

t.test('such a phase never puts a longer round trip in the place of the smallest one', async (t) => {
  const schedule = new ProbeRttSchedule();
  schedule.isDue(40, 0);
  t.notOk(schedule.begin(120, 10_000));
  t.ok(after(8, RAISED).begin(MIN, 10_000));
  t.ok(after(20, LOSSY).begin(MIN, 10_000));
});

t.test('losses while the round trip is shorter than in other rounds are no reason for a phase', async (t) => {
  const schedule = new ProbeRttSchedule();
  for (let count = 0; count < 100; count += 1) {
    schedule.endRound(LOSSY, count % 8 === 0 ? 120 : 100);
    t.notOk(schedule.isDue(MIN, 10_000));
  }
});

t.test(
  'losses after a phase that found no lower round trip are random: the next one is due later and later',
  async (t) => {
    const schedule = after(20, LOSSY);
    let now = 5_000;
    for (const wait of [10_000, 20_000, 40_000, 80_000, 80_000]) {
      schedule.begin(MIN, now);
      schedule.end(49, STARTED);
      t.notOk(schedule.isDue(MIN, now + wait - 1));
      now += wait;
      t.ok(schedule.isDue(MIN, now));
    }
  },
);

t.test('a phase that found a lower round trip is soon followed by another one while losses last', async (t) => {
  const schedule = after(20, LOSSY);
  schedule.begin(MIN, 5_000);
  schedule.end(49, STARTED);
  schedule.begin(MIN, 20_000);
  schedule.end(40, STARTED);
  t.ok(schedule.isDue(MIN, 25_000));
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
