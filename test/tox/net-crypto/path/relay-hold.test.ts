import t from 'tap';
import { RelayHold } from '../../../../src/tox/net-crypto/path/relay-hold.js';

t.test('a relay yields to UDP at once, and is held longer each time UDP lasted less than 10 s', async (t) => {
  const hold = new RelayHold();
  const holds: number[] = [];
  for (let now = 0; now < 900_000; now += 90_000) {
    hold.begin(now);
    holds.push(hold.until - now);
    hold.end(now + 89_000);
  }
  t.same(holds, [0, 1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000, 60_000]);
  hold.begin(2_000_000);
  t.equal(hold.until, 2_000_000, 'UDP lasted');
});
