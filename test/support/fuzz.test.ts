import t from 'tap';
import { extend, extreme, flip, mutations, noise, splice, truncate } from './fuzz.js';
import { SeededRandom } from './seeded-random.js';

const SAMPLES = [Buffer.from('a valid packet'), Buffer.alloc(200, 7), Buffer.alloc(0)];

t.test('the same seed gives the same bytes, another seed others', async (t) => {
  const all = (seed: number): string => [...mutations(seed, SAMPLES, 100)].map((bytes) => bytes.toString('hex')).join();
  t.equal(all(1), all(1));
  t.not(all(1), all(2));
});

t.test('gives as many inputs as asked for, and leaves the samples alone', async (t) => {
  const before = SAMPLES.map((sample) => sample.toString('hex'));
  const seen = new Set<Buffer>();
  for (const bytes of mutations(3, SAMPLES, 500)) {
    seen.add(bytes);
    bytes.fill(0xff);
  }
  t.equal(seen.size, 500);
  t.same(
    SAMPLES.map((sample) => sample.toString('hex')),
    before,
  );
});

t.test('without samples all is noise of many lengths', async (t) => {
  const lengths = new Set([...mutations(4, [], 200)].map(({ length }) => length));
  t.ok(lengths.size > 50);
});

t.test('each mutator does what it is named for', async (t) => {
  const random = new SeededRandom(5);
  const sample = Buffer.from('a valid packet');
  for (let round = 0; round < 200; round += 1) {
    const shorter = truncate(sample, random, SAMPLES);
    if (!(shorter.length < sample.length && sample.subarray(0, shorter.length).equals(shorter))) t.fail('truncate');
    if (flip(sample, random, SAMPLES).length !== sample.length) t.fail('flip');
    const longer = extend(sample, random, SAMPLES);
    if (!(longer.length > sample.length && longer.subarray(0, sample.length).equals(sample))) t.fail('extend');
    if (splice(sample, random, SAMPLES).length > sample.length + 200) t.fail('splice');
    if (extreme(sample, random, SAMPLES).equals(sample)) t.fail('extreme');
    if (noise(sample, random, SAMPLES).length > 1500) t.fail('noise');
  }
  t.ok(
    [truncate, flip, splice, extreme].every(
      (mutate) => mutate(Buffer.alloc(0), random, [Buffer.alloc(0)]).length === 0,
    ),
  );
});
