import t from 'tap';
import { SpuriousLoss } from '../../../../src/tox/net-crypto/congestion/spurious-loss.js';

const BEFORE = { bound: 1000, mode: 'startup' } as const;

t.test('an overflow is undone once half of its packets have arrived', async (t) => {
  const loss = new SpuriousLoss();
  t.equal(loss.onReordered(100), undefined);
  loss.begin(BEFORE, 20);
  loss.begin({ bound: 500, mode: 'drain' }, 100);
  t.equal(loss.onReordered(9), undefined);
  t.equal(loss.onReordered(1), BEFORE);
  t.equal(loss.onReordered(10), undefined, 'once');
});

t.test('it is not undone after three rounds', async (t) => {
  const loss = new SpuriousLoss();
  loss.begin(BEFORE, 20);
  for (let round = 0; round < 3; round += 1) loss.endRound();
  t.equal(loss.onReordered(20), undefined);
});
