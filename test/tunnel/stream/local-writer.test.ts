import { Writable } from 'node:stream';
import t from 'tap';
import { LocalWriter } from '../../../src/tunnel/stream/local-writer.js';
import { ManualClock } from '../../support/manual-clock.js';
import { SeededRandom } from '../../support/seeded-random.js';

/** A program that takes bytes when the test lets it, and counts the system calls. */
class SlowSink extends Writable {
  readonly taken: Buffer[] = [];
  /** What it is taking, in the memory of the writer. */
  inHand: readonly Buffer[] = [];
  writes = 0;
  #next: (() => void) | undefined;

  override _write(chunk: Buffer, _: string, done: () => void): void {
    this.#take([chunk], done);
  }

  override _writev(chunks: { chunk: Buffer }[], done: () => void): void {
    this.#take(
      chunks.map(({ chunk }) => chunk),
      done,
    );
  }

  #take(chunks: Buffer[], done: () => void): void {
    this.writes += 1;
    this.inHand = chunks;
    this.taken.push(...chunks.map((chunk) => Buffer.from(chunk)));
    this.#next = done;
  }

  release(): void {
    const next = this.#next;
    this.#next = undefined;
    next?.();
  }
}

function writerTo(sink: Writable, onDelivered: (bytes: number) => void = () => {}, events: string[] = []) {
  const clock = new ManualClock();
  const [onFinish, onError] = [() => void events.push('finish'), () => void events.push('error')];
  const writer = new LocalWriter({ clock, sink }, { onDelivered, onFinish, onError });
  writer.start();
  return { clock, writer };
}

const turnOfLoop = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

t.test(
  'data that arrives in one turn of the event loop is written at once, and counted when it is taken',
  async (t) => {
    const sink = new SlowSink();
    let delivered = 0;
    const { clock, writer } = writerTo(sink, (bytes) => {
      delivered += bytes;
    });
    for (const text of ['a', 'bc', 'def']) writer.write(Buffer.from(text));
    t.equal(sink.writes, 0);
    clock.advance(0);
    t.equal(Buffer.concat(sink.taken).toString(), 'abcdef');
    writer.write(Buffer.from('gh'));
    writer.end();
    clock.advance(0);
    t.same([writer.pending, delivered], [8, 0]);
    while (!sink.writableFinished) {
      sink.release();
      await turnOfLoop();
    }
    t.same([writer.pending, delivered], [0, 8]);
    t.equal(Buffer.concat(sink.taken).toString(), 'abcdefgh');
  },
);

t.test('single bytes are merged, and every byte keeps its place', async (t) => {
  const random = new SeededRandom(1);
  const sink = new SlowSink();
  const { clock, writer } = writerTo(sink);
  const sent: Buffer[] = [];
  const send = (bytes: Buffer): void => {
    sent.push(bytes);
    writer.write(bytes);
  };
  for (let round = 0; round < 20_000; round += 1) {
    send(random.bytes(random.below(50) === 0 ? 1365 : 1));
    if (round % 3000 === 0) {
      clock.advance(0);
      sink.release();
      await turnOfLoop();
    }
  }
  writer.end();
  while (!sink.writableFinished) {
    clock.advance(0);
    sink.release();
    await turnOfLoop();
  }
  t.ok(Buffer.concat(sink.taken).equals(Buffer.concat(sent)));
  t.ok(sink.taken.length < 3000, `${sink.taken.length} pieces of ${sent.length}`);
});

t.test('waiting data takes at most twice its size and 4 KiB, whatever memory it arrived in', async (t) => {
  const random = new SeededRandom(2);
  for (const [chunk, longest] of [
    [1400, 1],
    [1400, 1365],
    [65_536, 1365],
    [65_536, 1],
  ] as const) {
    const sink = new SlowSink();
    const { clock, writer } = writerTo(sink);
    writer.write(Buffer.alloc(10));
    clock.advance(0);
    for (let count = 0; count < 5000; count += 1) {
      const memory = Buffer.allocUnsafeSlow(chunk);
      writer.write(memory.subarray(8, 8 + 1 + random.below(longest)));
    }
    sink.release();
    await turnOfLoop();
    clock.advance(0);
    // The sink was given 256 KiB of the data that waited.
    const given = sink.inHand;
    const bytes = given.reduce((sum, { length }) => sum + length, 0);
    const kept = [...new Set(given.map(({ buffer }) => buffer))].reduce((sum, { byteLength }) => sum + byteLength, 0);
    const cost = kept + given.length * 250;
    t.ok(cost <= bytes * 2 + 4096 + 250, `${cost} for ${bytes} bytes of up to ${longest} in ${chunk}`);
  }
});

t.test('packets that arrived in one buffer wait in few pieces', async (t) => {
  const sink = new SlowSink();
  const { clock, writer } = writerTo(sink);
  const joined = Buffer.allocUnsafeSlow(46 * 1400);
  for (let at = 0; at < joined.length; at += 1400) writer.write(joined.subarray(at + 27, at + 1392));
  clock.advance(0);
  t.equal(Buffer.concat(sink.taken).length, 46 * 1365);
  t.ok(sink.taken.length <= 6, `${sink.taken.length} pieces`);
});

t.test('a single waiting piece takes no more memory than its bytes', async (t) => {
  for (const [chunk, length] of [
    [65_536, 1365],
    [65_536, 1],
    [1400, 1],
  ] as const) {
    const sink = new SlowSink();
    const { clock, writer } = writerTo(sink);
    writer.write(Buffer.allocUnsafeSlow(chunk).subarray(8, 8 + length));
    clock.advance(0);
    t.same(
      sink.inHand.map(({ buffer }) => buffer.byteLength),
      [length],
    );
  }
});

t.test('an aborted writer writes nothing', async (t) => {
  const sink = new SlowSink();
  const { clock, writer } = writerTo(sink);
  writer.write(Buffer.from('a'));
  writer.abort();
  writer.write(Buffer.from('b'));
  writer.end();
  clock.advance(0);
  t.same([sink.taken, writer.pending, sink.writableEnded], [[], 0, false]);
});

t.test('a program that has all its bytes and their end is done', async (t) => {
  const sink = new SlowSink();
  const events: string[] = [];
  const { clock, writer } = writerTo(sink, (bytes) => void events.push(`delivered ${bytes}`), events);
  writer.write(Buffer.from('hello'));
  writer.end();
  clock.advance(0);
  t.notOk(writer.isDone);
  sink.release();
  await turnOfLoop();
  t.same(events, ['delivered 5', 'finish']);
  t.ok(writer.isDone);
});

t.test('a program that breaks off before it has all its bytes is an error', async (t) => {
  const sink = new SlowSink();
  const events: string[] = [];
  const { writer } = writerTo(sink, () => {}, events);
  writer.write(Buffer.from('lost'));
  sink.destroy();
  await turnOfLoop();
  t.same(events, ['error']);
});

t.test('a program that broke off before the tunnel began is an error at once', async (t) => {
  const sink = new SlowSink();
  sink.destroy();
  const events: string[] = [];
  writerTo(sink, () => {}, events);
  t.same(events, ['error']);
});

t.test('a watched program that takes nothing for five minutes has stalled', async (t) => {
  const sink = new SlowSink();
  const { clock, writer } = writerTo(sink);
  let stalls = 0;
  writer.watchProgress(() => {
    stalls += 1;
  });
  writer.write(Buffer.alloc(300_000));
  writer.write(Buffer.alloc(300_000));
  clock.advance(300_000);
  t.equal(stalls, 0, 'bytes have come since');
  sink.release();
  await turnOfLoop();
  clock.advance(300_000);
  t.equal(stalls, 0, 'bytes were taken');
  clock.advance(300_000);
  t.equal(stalls, 1);
  writer.stop();
  t.equal(clock.pending, 0);
});
