import t from 'tap';
import { ReceiveBlackHole } from '../../../../src/tox/net-crypto/stream/receive-black-hole.js';

/** A packet of 20 bytes each second, while number 5 is missing. */
function receivedFor(seconds: number): ReceiveBlackHole {
  const blackHole = new ReceiveBlackHole();
  for (let second = 0; second <= seconds; second += 1) blackHole.onReceived(5, 20, second * 1000);
  return blackHole;
}

t.test('small packets that arrive for 4 s while one is missing indicate a black hole', async (t) => {
  t.notOk(receivedFor(3).isLikely);
  t.ok(receivedFor(4).isLikely);
});

t.test('a burst of small packets counts as one', async (t) => {
  const blackHole = new ReceiveBlackHole();
  for (let count = 0; count < 100; count += 1) blackHole.onReceived(5, 20, 10_000 + count);
  t.notOk(blackHole.isLikely);
});

t.test('a large packet, or a change of the missing one, clears the suspicion', async (t) => {
  for (const [missing, size] of [
    [5, 1373],
    [6, 20],
    [undefined, 20],
  ] as const) {
    const blackHole = receivedFor(3);
    blackHole.onReceived(missing, size, 3500);
    blackHole.onReceived(5, 20, 4000);
    t.notOk(blackHole.isLikely);
  }
});
