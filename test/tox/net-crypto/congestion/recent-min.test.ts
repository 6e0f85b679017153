import t from 'tap';
import { RecentMin } from '../../../../src/tox/net-crypto/congestion/recent-min.js';

t.test('the smallest sample counts for 10 to 20 s', async (t) => {
  const smallest = new RecentMin();
  t.equal(smallest.value, Number.POSITIVE_INFINITY);
  smallest.add(-5, 100);
  for (let now = 200; now <= 20_000; now += 100) smallest.add(30, now);
  t.equal(smallest.value, -5);
  smallest.add(30, 20_200);
  t.equal(smallest.value, 30);
});

t.test('all samples before a restart are forgotten', async (t) => {
  const smallest = new RecentMin();
  smallest.add(5, 0);
  smallest.restart(30, 100);
  t.equal(smallest.value, 30);
});
