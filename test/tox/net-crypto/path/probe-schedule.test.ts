import t from 'tap';
import { ProbeSchedule } from '../../../../src/tox/net-crypto/path/probe-schedule.js';

/** Returns the ms from each probe to the next. */
function pauses(trials: ProbeSchedule, from: number, count: number): number[] {
  const found: number[] = [];
  let now = from;
  for (let at = 0; at < count; at += 1) {
    trials.onProbed(now);
    found.push(trials.dueAt - now);
    now = trials.dueAt;
  }
  return found;
}

t.test('no probe is due while there is nothing to probe', async (t) => {
  t.equal(new ProbeSchedule().dueAt, Number.POSITIVE_INFINITY);
});

t.test('probes begin at once, every 250 ms, and slow down to every 4 s after a minute', async (t) => {
  const trials = new ProbeSchedule();
  trials.setScope('udp', 1000);
  t.equal(trials.dueAt, Number.NEGATIVE_INFINITY);
  const all = pauses(trials, 1000, 100);
  t.same(all.slice(0, 10), new Array(10).fill(250));
  t.equal(all.at(-1), 4000);
});

t.test('probes restart on request or when their scope changes, but not for the same scope', async (t) => {
  const trials = new ProbeSchedule();
  trials.setScope('udp', 0);
  pauses(trials, 0, 100);
  trials.setScope('udp', 200_000);
  t.not(trials.dueAt, Number.NEGATIVE_INFINITY);
  trials.restart(200_000);
  t.equal(trials.dueAt, Number.NEGATIVE_INFINITY);
  t.equal(pauses(trials, 200_000, 1)[0], 250);
  trials.setScope('all', 300_000);
  t.equal(trials.dueAt, Number.NEGATIVE_INFINITY);
});
