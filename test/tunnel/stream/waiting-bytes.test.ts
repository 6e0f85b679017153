import t from 'tap';
import { WaitingBytes } from '../../../src/tunnel/stream/waiting-bytes.js';
import { SeededRandom } from '../../support/seeded-random.js';

const KIB = 1024;
const memoryOf = (pieces: readonly Buffer[]): ArrayBufferLike[] => pieces.map(({ buffer }) => buffer);

t.test('bytes come out as they went in, whatever is taken, and while others use the memory again', async (t) => {
  const random = new SeededRandom(1);
  const all = [1, 2, 3].map(() => ({
    waiting: new WaitingBytes(),
    given: [] as Buffer[],
    taken: [] as Buffer[],
    inHand: [] as Buffer[],
  }));
  const letGo = (one: (typeof all)[number]): void => {
    // Read as late as possible: until then nobody may write there.
    one.taken.push(...one.inHand.map((piece) => Buffer.from(piece)));
    one.inHand = [];
    one.waiting.release();
  };
  for (let round = 0; round < 5000; round += 1) {
    const one = all[random.below(all.length)] as (typeof all)[number];
    const data = random.bytes(1 + random.below(random.below(20) === 0 ? 70 * KIB : 1365));
    one.given.push(Buffer.from(data));
    one.waiting.push(data);
    data.fill(0);
    if (random.below(5) > 0) continue;
    letGo(one);
    const before = one.waiting.size;
    const limit = 1 + random.below(100 * KIB);
    one.inHand = one.waiting.take(limit);
    const size = one.inHand.reduce((sum, { length }) => sum + length, 0);
    if (size !== Math.min(before, limit) || one.waiting.size !== before - size) t.fail(`${size} of ${before}`);
  }
  for (const one of all) {
    letGo(one);
    one.inHand = one.waiting.take(Number.POSITIVE_INFINITY);
    letGo(one);
    t.equal(one.waiting.size, 0);
    t.ok(Buffer.concat(one.taken).equals(Buffer.concat(one.given)));
  }
});

t.test('the memory of bytes that were taken is used for those of another tunnel, once it is released', async (t) => {
  const [one, other] = [new WaitingBytes(), new WaitingBytes()];
  one.push(Buffer.alloc(60 * KIB));
  const memory = memoryOf(one.take(60 * KIB));
  other.push(Buffer.alloc(60 * KIB));
  t.notOk(memoryOf(other.take(60 * KIB)).some((buffer) => memory.includes(buffer)));
  one.release();
  other.push(Buffer.alloc(60 * KIB));
  t.ok(memoryOf(other.take(60 * KIB)).some((buffer) => memory.includes(buffer)));
});

t.test('the memory of bytes that were taken before the rest was discarded is never used again', async (t) => {
  const [one, other] = [new WaitingBytes(), new WaitingBytes()];
  one.push(Buffer.alloc(60 * KIB));
  const memory = memoryOf(one.take(50 * KIB));
  one.clear();
  one.release();
  t.equal(one.size, 0);
  for (let count = 0; count < 20; count += 1) other.push(Buffer.alloc(64 * KIB));
  t.notOk(memoryOf(other.take(Number.POSITIVE_INFINITY)).some((buffer) => memory.includes(buffer)));
});

t.test('as much as the last time waits in one piece', async (t) => {
  const waiting = new WaitingBytes();
  const pieces: number[] = [];
  for (let round = 0; round < 3; round += 1) {
    for (let count = 0; count < 14; count += 1) waiting.push(Buffer.alloc(1365));
    pieces.push(waiting.take(256 * KIB).length);
    waiting.release();
  }
  t.same(pieces.slice(1), [1, 1]);
});

t.test('a few bytes are taken in memory of their own', async (t) => {
  const waiting = new WaitingBytes();
  waiting.push(Buffer.from('key'));
  t.same(
    memoryOf(waiting.take(KIB)).map(({ byteLength }) => byteLength),
    [3],
  );
});
