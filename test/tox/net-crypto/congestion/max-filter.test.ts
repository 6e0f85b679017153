import t from 'tap';
import { MaxFilter } from '../../../../src/tox/net-crypto/congestion/max-filter.js';

t.test('the largest rate is kept for 10 to 20 rounds and through periods without samples', async (t) => {
  const filter = new MaxFilter();
  filter.add(9);
  for (let round = 0; round < 50; round += 1) filter.endRound(50);
  t.equal(filter.max, 9);
  for (let round = 0; round < 19; round += 1) {
    filter.add(5);
    filter.endRound(50);
  }
  t.equal(filter.max, 5);
});
