import t from 'tap';
import { TokenBucket } from '../../src/base/token-bucket.js';

t.test('a bucket has its capacity at once and then nothing', async (t) => {
  const bucket = new TokenBucket(10, 3, 5000);
  t.same(
    [1, 2, 3, 4].map(() => bucket.take(5000)),
    [true, true, true, false],
  );
});

t.test('a bucket refills at its rate, also between whole tokens', async (t) => {
  const bucket = new TokenBucket(10, 3, 0);
  bucket.take(0, 3);
  t.notOk(bucket.take(99));
  t.ok(bucket.take(100));
  t.notOk(bucket.take(199));
  t.ok(bucket.take(200));
});

t.test('a bucket never exceeds its capacity', async (t) => {
  const bucket = new TokenBucket(10, 3, 0);
  t.notOk(bucket.take(1e9, 4));
  t.ok(bucket.take(1e9, 3));
  t.notOk(bucket.take(1e9));
});

t.test('a refused take costs nothing', async (t) => {
  const bucket = new TokenBucket(10, 3, 0);
  t.ok(bucket.take(0, 2));
  t.notOk(bucket.take(0, 2));
  t.ok(bucket.take(0, 1));
});

t.test('over a long time a bucket gives its rate', async (t) => {
  const bucket = new TokenBucket(7, 1, 0);
  let taken = 0;
  for (let now = 0; now <= 100_000; now += 13) if (bucket.take(now)) taken += 1;
  t.ok(Math.abs(taken - 700) < 70, `${taken} in 100 s`);
});
