import t from 'tap';
import { PathLoss } from '../../../../src/tox/net-crypto/congestion/path-loss.js';

t.test('a lost path explains as many lost bytes as were in flight', async (t) => {
  const pathLoss = new PathLoss();
  t.equal(pathLoss.take(100), 0);
  pathLoss.begin(150);
  t.same([pathLoss.take(100), pathLoss.take(100), pathLoss.take(100)], [100, 50, 0]);
});

t.test('it explains none that become known more than two rounds later', async (t) => {
  const pathLoss = new PathLoss();
  pathLoss.begin(150);
  for (let round = 0; round < 2; round += 1) pathLoss.endRound();
  t.equal(pathLoss.take(50), 50);
  pathLoss.endRound();
  t.equal(pathLoss.take(50), 0);
});
