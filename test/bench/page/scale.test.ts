import t from 'tap';
import { linearScale, logarithmicScale } from '../../../bench/page/scale.js';

t.test('a linear scale goes from zero to the round number above the maximum, with a few ticks', async (t) => {
  t.same(linearScale([12.5, 3]).ticks, [0, 5, 10, 15]);
  t.same(linearScale([200]).ticks, [0, 50, 100, 150, 200]);
  t.same(linearScale([0.66]).ticks, [0, 0.2, 0.4, 0.6, 0.8]);
  t.equal(linearScale([12.5]).at(7.5), 0.5);
});

t.test('a linear scale of no values is still a scale', async (t) => {
  t.same(linearScale([]).ticks, [0, 0.5, 1]);
  t.same(linearScale([Number.NaN, 2]).ticks, linearScale([2]).ticks);
});

t.test('on a logarithmic scale each power of ten takes as much room, and the ends are powers', async (t) => {
  const scale = logarithmicScale([1, 8, 1000]);
  t.same(scale.ticks, [1, 10, 100, 1000]);
  t.same([1, 10, 1000].map(scale.at), [0, 1 / 3, 1]);
  t.same(logarithmicScale([20, 300]).ticks, [10, 100, 1000]);
  t.same(logarithmicScale([10]).ticks, [10, 100]);
});
