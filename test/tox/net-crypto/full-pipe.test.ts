import t from 'tap';
import { FullPipe } from '../../../src/tox/net-crypto/full-pipe.js';

const CLEAR = { isAppLimited: false, isRaised: false };

t.test('the pipe is full after three rounds that grow by less than a quarter', async (t) => {
  const pipe = new FullPipe();
  t.same(
    [100, 130, 140, 150, 160].map((rate) => pipe.endRound(rate, CLEAR)),
    [false, false, false, false, true],
  );
  pipe.restart(160);
  t.notOk(pipe.endRound(170, CLEAR));
});

t.test('two such rounds are enough if the round trip is raised', async (t) => {
  const pipe = new FullPipe();
  t.same(
    [100, 110, 120].map((rate) => pipe.endRound(rate, { ...CLEAR, isRaised: true })),
    [false, false, true],
  );
});

t.test('rounds without enough data to send do not count', async (t) => {
  const pipe = new FullPipe();
  const rates = [100, 100, 100, 100, 100];
  t.notOk(rates.some((rate) => pipe.endRound(rate, { isAppLimited: true, isRaised: false })));
});
