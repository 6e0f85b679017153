import t from 'tap';
import { ShortTermModel } from '../../../../src/tox/net-crypto/congestion/short-term-model.js';

const LIMITS = { rate: 1000, inflight: 100_000 };

t.test('without losses nothing is bounded', async (t) => {
  const { rate, inflight } = new ShortTermModel();
  t.same([rate, inflight], [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY]);
});

t.test(
  'a round that lost packets bounds the rate to its mean, and the bytes in flight to what it delivered',
  async (t) => {
    const model = new ShortTermModel();
    model.onLoss({ bytes: 90_000, ms: 100 }, LIMITS);
    t.same([model.rate, model.inflight], [900, 90_000]);
  },
);

t.test('one round leaves at least 0.7 of what was allowed before', async (t) => {
  const model = new ShortTermModel();
  model.onLoss({ bytes: 10_000, ms: 100 }, LIMITS);
  t.same([model.rate, model.inflight], [700, 70_000]);
  model.onLoss({ bytes: 10_000, ms: 100 }, LIMITS);
  t.same([Math.round(model.rate), Math.round(model.inflight)], [490, 49_000]);
});

t.test('the next probe lifts the bounds', async (t) => {
  const model = new ShortTermModel();
  model.onLoss({ bytes: 10_000, ms: 100 }, LIMITS);
  model.reset();
  t.same([model.rate, model.inflight], [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY]);
});
