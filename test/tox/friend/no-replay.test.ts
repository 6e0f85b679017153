import t from 'tap';
import { NoReplay } from '../../../src/tox/friend/no-replay.js';
import { ManualClock } from '../../support/manual-clock.js';

const START = 1_800_000_000n;

t.test('without relays it is the time', async (t) => {
  const clock = new ManualClock(Number(START));
  const counter = new NoReplay(clock);
  t.equal(counter.next(false), START);
  t.equal(counter.next(false), START);
  clock.advance(1_000);
  t.equal(counter.next(false), START + 1n);
});

t.test('with relays each is greater than the one before, but never far ahead of the time', async (t) => {
  const counter = new NoReplay(new ManualClock(Number(START)));
  t.same(
    [1, 2, 3, 4, 5].map(() => counter.next(true)),
    [START, START + 1n, START + 2n, START + 2n, START + 2n],
  );
});

t.test('it never goes back', async (t) => {
  const clock = new ManualClock(Number(START));
  const counter = new NoReplay(clock);
  for (let count = 0; count < 3; count += 1) counter.next(true);
  t.equal(counter.next(false), START + 2n);
});
