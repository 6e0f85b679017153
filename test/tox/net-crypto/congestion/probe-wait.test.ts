import t from 'tap';
import { type CruisePath, ProbeWait } from '../../../../src/tox/net-crypto/congestion/probe-wait.js';

const PATH: CruisePath = { packets: 1000, roundTrip: 40, hasCompetitor: false };

/** @returns ms until the next probe */
const waitOf = (path: Partial<CruisePath>, random: number, hasOverflowed: boolean): number => {
  const wait = new ProbeWait();
  if (hasOverflowed) wait.onOverflow();
  const cruise = { ...PATH, ...path };
  wait.onCruise(cruise, random);
  let elapsed = 0;
  while (!wait.isOver(elapsed + 1, cruise.roundTrip)) elapsed += 1;
  return elapsed;
};

t.test('after a probe that overflowed nothing the next one follows in four to eight round trips', async (t) => {
  t.same(
    [0, 1, 2, 3, 4, 5].map((random) => waitOf({}, random, false)),
    [160, 200, 240, 280, 320, 160],
  );
});

t.test('after an overflow the next probe follows in two to three seconds', async (t) => {
  t.equal(waitOf({}, 0, true), 2000);
  t.equal(waitOf({ roundTrip: 100 }, 999, true), 2999);
});

t.test('but in no more round trips than packets fit on the path, nor than 62.5', async (t) => {
  t.equal(waitOf({ packets: 20 }, 0, true), 800);
  t.equal(waitOf({ roundTrip: 2 }, 0, true), 125);
});

t.test('nor in fewer than without an overflow', async (t) => {
  t.equal(waitOf({ roundTrip: 600 }, 0, true), 2400);
  t.equal(waitOf({ packets: 2 }, 4, true), 320);
});

t.test('beside a competitor that tolerates loss, probes follow soon even after an overflow', async (t) => {
  t.equal(waitOf({ hasCompetitor: true }, 0, true), 40);
  t.equal(waitOf({ hasCompetitor: true }, 4, true), 200);
});

t.test('an overflow counts until the next probe', async (t) => {
  const wait = new ProbeWait();
  wait.onOverflow();
  wait.onProbe();
  wait.onCruise(PATH, 0);
  t.ok(wait.isOver(161, 40));
});
