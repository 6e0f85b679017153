import t from 'tap';
import { AverageLoss } from '../../../src/tox/net-crypto/average-loss.js';

const after = (rounds: readonly number[]): boolean => {
  const loss = new AverageLoss();
  for (const part of rounds) loss.endRound(part);
  return loss.hasLossTolerantCompetitor;
};

t.test('many rounds that lose a tenth are of a crowd, and those that lose nothing after them are not', async (t) => {
  const lossy = Array(30).fill(0.1);
  t.ok(after(lossy));
  t.notOk(after([...lossy, ...Array(30).fill(0)]));
});

t.test('one round that overflowed is not of a crowd, nor are the losses that CUBIC lives with', async (t) => {
  t.notOk(after([0.5]));
  t.notOk(after(Array(300).fill(0.03)));
});
