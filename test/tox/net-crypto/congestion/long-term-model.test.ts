import t from 'tap';
import { LongTermModel } from '../../../../src/tox/net-crypto/congestion/long-term-model.js';

/** A queue overflowed with 1000 bytes in flight. */
function overflowed(): LongTermModel {
  const model = new LongTermModel();
  model.onOverflow(1000, 100);
  return model;
}

t.test('an overflow bounds the bytes in flight to what passed, and never raises the bound', async (t) => {
  const model = overflowed();
  t.equal(model.inflight, 1000);
  model.onOverflow(2000, 100);
  t.equal(model.inflight, 1000);
  model.onOverflow(50, 100);
  t.equal(model.inflight, 100, 'but leaves the least that is allowed');
});

t.test('a probe without an overflow raises the bound by a quarter if it came near it', async (t) => {
  const model = overflowed();
  model.onInFlight(950);
  model.beginProbe();
  model.onInFlight(899);
  model.endProbe(false);
  t.equal(model.inflight, 1000, 'what was in flight before the probe does not count');
  model.onInFlight(900);
  model.endProbe(false);
  t.equal(model.inflight, 1250);
});

t.test('to a polled peer, each probe and each round without an overflow raises it', async (t) => {
  const model = overflowed();
  model.endProbe(true);
  t.equal(model.inflight, 1250);
  model.endPolledRound();
  t.equal(model.inflight, 1250 * (1 + 1 / 24));
});
