import t from 'tap';
import { pick, randomId, systemRandom } from '../../src/base/random.js';
import { SeededRandom } from '../support/seeded-random.js';

t.test('the system returns new bytes of any length, in their own memory', async (t) => {
  t.equal(systemRandom.bytes(0).length, 0);
  const [a, b] = [systemRandom.bytes(32), systemRandom.bytes(32)];
  t.notOk(a.equals(b));
  t.equal(a.buffer.byteLength, 32);
});

t.test('numbers stay below their limit and reach it', async (t) => {
  for (const random of [systemRandom, new SeededRandom(1)]) {
    const drawn = new Set(Array.from({ length: 500 }, () => random.below(4)));
    t.same([...drawn].sort(), [0, 1, 2, 3]);
  }
});

t.test('an id is never 0', async (t) => {
  const draws = [Buffer.alloc(8), Buffer.alloc(8), Buffer.from('00000000000000ff', 'hex')];
  const random = { bytes: () => draws.shift() as Buffer, below: () => 0 };
  t.equal(randomId(random), 255n);
});

t.test('every element of a list is picked', async (t) => {
  const random = new SeededRandom(2);
  const picked = new Set(Array.from({ length: 100 }, () => pick(random, ['a', 'b', 'c'])));
  t.same([...picked].sort(), ['a', 'b', 'c']);
});

t.test('a seeded source repeats itself, and differs by seed', async (t) => {
  t.ok(new SeededRandom(3).bytes(64).equals(new SeededRandom(3).bytes(64)));
  t.notOk(new SeededRandom(3).bytes(64).equals(new SeededRandom(4).bytes(64)));
});
