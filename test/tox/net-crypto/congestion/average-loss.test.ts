import t from 'tap';
import { AverageLoss } from '../../../../src/tox/net-crypto/congestion/average-loss.js';

const after = (rounds: readonly number[]): boolean => {
  const loss = new AverageLoss();
  for (const part of rounds) loss.endRound(part);
  return loss.hasLossTolerantCompetitor;
};

t.test(
  'many rounds that lose a tenth reveal a loss-tolerant competitor, until rounds without loss follow',
  async (t) => {
    const lossy = Array(30).fill(0.1);
    t.ok(after(lossy));
    t.notOk(after([...lossy, ...Array(30).fill(0)]));
  },
);

t.test('neither one round that overflowed nor the losses that CUBIC accepts reveal a competitor', async (t) => {
  t.notOk(after([0.5]));
  t.notOk(after(Array(300).fill(0.03)));
});
