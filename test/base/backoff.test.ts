import t from 'tap';
import { Backoff } from '../../src/base/backoff.js';
import { SeededRandom } from '../support/seeded-random.js';

/** A Random that always draws the lowest, so that nothing is taken off. */
const lowest = { bytes: (length: number) => Buffer.alloc(length), below: () => 0 };

t.test('delays double from the first up to the longest', async (t) => {
  const backoff = new Backoff(lowest, { first: 100, most: 1000 });
  t.same(
    [1, 2, 3, 4, 5, 6].map(() => backoff.next()),
    [100, 200, 400, 800, 1000, 1000],
  );
});

t.test('delays start again after a reset, and grow by a given factor', async (t) => {
  const backoff = new Backoff(lowest, { first: 10, most: 1000, factor: 10 });
  backoff.next();
  t.equal(backoff.next(), 100);
  backoff.reset();
  t.equal(backoff.next(), 10);
});

t.test('each delay is shortened by up to a quarter', async (t) => {
  const random = new SeededRandom(1);
  const delays = Array.from({ length: 500 }, () => new Backoff(random, { first: 1000, most: 1000 }).next());
  t.ok(delays.every((delay) => delay > 750 && delay <= 1000));
  t.ok(Math.max(...delays) - Math.min(...delays) > 200);
});
