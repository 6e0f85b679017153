import t from 'tap';
import { atLeast, atMost, short, spread } from '../../bench/support/figures.js';

t.test('a target shows its limit, and whether it was reached', async (t) => {
  t.same(atMost(0.8, 0.8, 's'), { text: '<= 0.8 s', isReached: true });
  t.same(atMost(0.81, 0.8, 's'), { text: '<= 0.8 s', isReached: false });
  t.same(atLeast(60, 60, 'MB/s'), { text: '>= 60 MB/s', isReached: true });
  t.equal(atLeast(59.9, 60, 'MB/s').isReached, false);
});

t.test('a value that was not measured reaches no target', async (t) => {
  t.equal(atMost(Number.NaN, 1, 's').isReached, false);
  t.equal(atLeast(Number.NaN, 1, 's').isReached, false);
});

t.test('numbers have as many digits as are significant', async (t) => {
  t.same([0, 0.0042, 0.431, 2.04, 19.96, 20.4, 431.2].map(short), [
    '0.00',
    '0.004',
    '0.43',
    '2.0',
    '20.0',
    '20',
    '431',
  ]);
});

t.test('several values are shown as a median with minimum and maximum, one as itself', async (t) => {
  t.equal(spread([0.5, 0.4, 0.6], 's'), '0.50 (0.40-0.60) s');
  t.equal(spread([0.5], 's'), '0.50 s');
});
