import t from 'tap';
import { least, median, most, quantile } from '../../bench/support/statistics.js';

t.test('the median is the middle value, or lies between the two middle ones, in any order', async (t) => {
  t.equal(median([5, 1, 3]), 3);
  t.equal(median([10, 4, 1, 2]), 3);
  t.equal(median([7]), 7);
});

t.test('numbers are sorted by value, not as text', async (t) => {
  t.equal(median([100, 20, 3]), 20);
});

t.test('quantiles are interpolated', async (t) => {
  const values = Array.from({ length: 101 }, (_, index) => 100 - index);
  t.equal(quantile(values, 0.95), 95);
  t.equal(quantile([0, 10], 0.25), 2.5);
});

t.test('the extremes', async (t) => {
  t.equal(least([2, 1, 3]), 1);
  t.equal(most([2, 1, 3]), 3);
});

t.test('the values stay as they were', async (t) => {
  const values = [3, 1, 2];
  median(values);
  t.same(values, [3, 1, 2]);
});

t.test('the median of no values is not a number', async (t) => {
  t.ok(Number.isNaN(median([])));
});
