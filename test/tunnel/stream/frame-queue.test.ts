import t from 'tap';
import { FrameQueue } from '../../../src/tunnel/stream/frame-queue.js';
import { decodeFrame, TCP } from '../../../src/tunnel/wire/frame.js';
import { SeededRandom } from '../../support/seeded-random.js';

const KIB = 1024;

class Bench {
  dataSize = 1365;
  readonly queue = new FrameQueue({ type: TCP, id: 5, dataSize: () => this.dataSize });
  readonly taken: Buffer[] = [];

  /** Takes frames until so many bytes or fewer wait. */
  take(left: number): void {
    for (let frame = this.queue.next; frame !== undefined && this.queue.waiting > left; frame = this.queue.next) {
      const { type, id, data } = decodeFrame(frame) ?? {};
      if (type !== TCP || id !== 5 || data === undefined || data.length > this.dataSize)
        throw new Error('not our frame');
      this.taken.push(Buffer.from(data));
      this.queue.shift();
    }
  }
}

t.test('frames come out as they went in, whatever chunks come, and when', async (t) => {
  const random = new SeededRandom(1);
  const benches = [new Bench(), new Bench(), new Bench()];
  const given = benches.map((): Buffer[] => []);
  for (let round = 0; round < 2000; round += 1) {
    const index = random.below(benches.length);
    const bench = benches[index] as Bench;
    const chunk = random.bytes(1 + random.below(random.below(2) === 0 ? 200 : 64 * KIB));
    given[index]?.push(chunk);
    bench.queue.push(chunk);
    bench.take(random.below(100 * KIB));
    if (round === 1000) for (const { queue } of benches) t.ok(queue.waiting < 170 * KIB);
    bench.dataSize = random.below(50) === 0 ? 500 + random.below(865) : bench.dataSize;
  }
  for (const [index, bench] of benches.entries()) {
    bench.take(0);
    t.equal(bench.queue.next, undefined);
    t.equal(bench.queue.waiting, 0);
    t.ok(Buffer.concat(bench.taken).equals(Buffer.concat(given[index] ?? [])));
  }
});

t.test('the memory of frames that are gone is used for those of another tunnel', async (t) => {
  const [one, other] = [new Bench(), new Bench()];
  one.queue.push(Buffer.alloc(64 * KIB));
  const { buffer } = one.queue.next as Buffer;
  one.take(0);
  other.queue.push(Buffer.alloc(64 * KIB));
  t.equal((other.queue.next as Buffer).buffer, buffer);
});

t.test('a few bytes take no more memory than they need', async (t) => {
  const bench = new Bench();
  bench.queue.push(Buffer.from('key'));
  t.equal((bench.queue.next as Buffer).buffer.byteLength, 11);
});
