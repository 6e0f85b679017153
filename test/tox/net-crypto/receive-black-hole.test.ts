import t from 'tap';
import { ReceiveBlackHole } from '../../../src/tox/net-crypto/receive-black-hole.js';

/** A packet of 20 bytes each second, while number 5 is missing. */
function heardFor(seconds: number): ReceiveBlackHole {
  const swallowed = new ReceiveBlackHole();
  for (let second = 0; second <= seconds; second += 1) swallowed.onReceived(5, 20, second * 1000);
  return swallowed;
}

t.test('small packets that arrive for 4 s while one is missing indicate a black hole', async (t) => {
  t.notOk(heardFor(3).isLikely);
  t.ok(heardFor(4).isLikely);
});

t.test('a burst of small packets counts as one', async (t) => {
  const swallowed = new ReceiveBlackHole();
  for (let count = 0; count < 100; count += 1) swallowed.onReceived(5, 20, 10_000 + count);
  t.notOk(swallowed.isLikely);
});

t.test('a large packet, or a change of the missing one, clears the suspicion', async (t) => {
  for (const [missing, size] of [
    [5, 1373],
    [6, 20],
    [undefined, 20],
  ] as const) {
    const swallowed = heardFor(3);
    swallowed.onReceived(missing, size, 3500);
    swallowed.onReceived(5, 20, 4000);
    t.notOk(swallowed.isLikely);
  }
});
