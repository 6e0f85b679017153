import t from 'tap';
import { Rtt } from '../../../../src/tox/net-crypto/congestion/rtt.js';

t.test('the smallest round trip expires, and the smoothed one follows the samples', async (t) => {
  const rtt = new Rtt();
  t.notOk(rtt.isKnown);
  t.same([rtt.min, rtt.measuredMin], [100, 0]);
  rtt.add(20, 0);
  for (let now = 100; now < 9000; now += 100) rtt.add(80, now);
  t.same([rtt.min, rtt.measuredMin], [20, 20]);
  t.ok(Math.abs(rtt.smoothed - 80) < 1);
  for (let now = 9000; now < 31_000; now += 100) rtt.add(80, now);
  t.equal(rtt.min, 80);
});
