import t from 'tap';
import { Pacer } from '../../../../src/tox/net-crypto/congestion/pacer.js';

/** Sends packets of 1428 bytes as long as the pacer allows, and returns their number. */
const burst = (pacer: Pacer): number => {
  let count = 0;
  for (; pacer.maySend && count < 10_000; count += 1) pacer.onSent(1428);
  return count;
};

t.test('a slow path gets eight packets at once, and then the pacing rate', async (t) => {
  const pacer = new Pacer();
  pacer.refill(142.8, 0);
  t.equal(burst(pacer), 8);
  t.equal(pacer.pause(142.8), 1);
  pacer.refill(142.8, 100);
  t.equal(burst(pacer), 8);
  pacer.refill(142.8, 110);
  t.equal(burst(pacer), 1);
});

t.test('a late timer catches up on 4 ms, and on at most 512 KiB', async (t) => {
  const pacer = new Pacer();
  pacer.refill(14_280, 0);
  t.equal(burst(pacer), 40);
  pacer.refill(1_000_000, 100);
  t.equal(burst(pacer), 368);
});

t.test('a packet larger than the remainder is paid for by a longer pause', async (t) => {
  const pacer = new Pacer();
  pacer.refill(1428, 0);
  pacer.onSent(8 * 1428 + 14_280);
  t.notOk(pacer.maySend);
  t.equal(pacer.pause(1428), 10);
});

t.test('a route that sets the pace has no limit', async (t) => {
  const pacer = new Pacer();
  pacer.lift(0);
  t.equal(burst(pacer), 10_000);
});
