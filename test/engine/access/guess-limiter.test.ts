import t from 'tap';
import { GuessLimiter } from '../../../src/engine/access/guess-limiter.js';

const digest = (index: number): Buffer => Buffer.alloc(32, index);

t.test('each wrong secret of a key is recognised, not only the last one', async (t) => {
  const limiter = new GuessLimiter();
  for (let index = 0; index < 3; index += 1) limiter.onWrong('key', digest(index), 0);
  for (let index = 0; index < 3; index += 1) t.equal(limiter.standing('key', digest(index), 0), 'same-again');
  t.equal(limiter.standing('key', digest(3), 0), 'fresh');
  t.equal(limiter.standing('other', digest(0), 0), 'fresh');
});

t.test('the latest twelve secrets are remembered', async (t) => {
  const limiter = new GuessLimiter();
  for (let index = 0; index < 13; index += 1) limiter.onWrong('key', digest(index), 0);
  t.equal(limiter.standing('key', digest(0), 0), 'blocked');
  for (let index = 1; index < 13; index += 1) t.equal(limiter.standing('key', digest(index), 0), 'same-again');
});
