import { Duplex } from 'node:stream';
import t from 'tap';
import type { LocalEnd } from '../../../src/tunnel/stream/local-end.js';
import { LocalReader } from '../../../src/tunnel/stream/local-reader.js';
import { decodeFrame, TCP } from '../../../src/tunnel/wire/frame.js';
import { ManualClock } from '../../support/manual-clock.js';

/** A reader of a program behind a stream. */
class Bench {
  readonly clock = new ManualClock();
  readonly events: string[] = [];
  readonly stream = new Duplex({ allowHalfOpen: true, read: () => {} });
  readonly reader: LocalReader;
  dataSize = 4;
  probes = 0;

  constructor(options: { readonly lingers?: boolean; readonly isStarted?: boolean } = {}) {
    const end: LocalEnd = {
      source: this.stream,
      sink: this.stream,
      lingers: options.lingers ?? true,
      localPort: 7,
      remoteAddress: undefined,
      probe: (onIntact) => {
        this.probes += 1;
        onIntact();
      },
      reset: () => {},
      destroy: () => {},
    };
    this.reader = new LocalReader(
      { clock: this.clock, end },
      { type: TCP, id: 5, dataSize: () => this.dataSize },
      {
        onFrames: () => this.events.push('frames'),
        onEnd: () => this.events.push('end'),
        onError: () => this.events.push('error'),
      },
    );
    if (options.isStarted ?? true) this.reader.start();
  }

  writes(text: string | null): void {
    this.stream.push(text === null ? null : Buffer.from(text));
  }

  /** Runs streams and due timers. */
  async turns(): Promise<void> {
    for (let turn = 0; turn < 5; turn += 1) {
      await new Promise((resolve) => setImmediate(resolve));
      this.clock.advance(0);
    }
  }

  framesTaken(): string[] {
    const texts: string[] = [];
    for (let frame = this.reader.next; frame !== undefined; frame = this.reader.next) {
      texts.push(`${decodeFrame(frame)?.data}`);
      this.reader.shift();
    }
    return texts;
  }
}

t.test('bytes of the program become frames of the size that fits', async (t) => {
  const bench = new Bench();
  bench.writes('hello');
  await bench.turns();
  t.same(bench.events, ['frames']);
  t.same(bench.framesTaken(), ['hell', 'o']);
});

t.test('waiting frames are cut again when the path takes only smaller ones', async (t) => {
  const bench = new Bench();
  bench.writes('abcdefghijkl');
  await bench.turns();
  t.equal(`${decodeFrame(bench.reader.next as Buffer)?.data}`, 'abcd');
  bench.reader.shift();
  t.equal(`${decodeFrame(bench.reader.next as Buffer)?.data}`, 'efgh');
  bench.dataSize = 3;
  t.same(bench.framesTaken(), ['efg', 'hij', 'kl']);
  bench.dataSize = 4;
  bench.writes('mnop');
  await bench.turns();
  t.same(bench.framesTaken(), ['mnop']);
});

t.test('a program is read until 32 KiB of frames wait, and again before they are all sent', async (t) => {
  const bench = new Bench();
  bench.writes('a'.repeat(40_000));
  await bench.turns();
  t.ok(bench.stream.isPaused());
  while (bench.stream.isPaused() && bench.reader.next !== undefined) bench.reader.shift();
  t.not(bench.reader.next, undefined, 'there is something to send meanwhile');
});

t.test('a program that ends has its last bytes sent', async (t) => {
  const bench = new Bench();
  bench.writes('bye');
  bench.writes(null);
  await bench.turns();
  t.same(bench.events, ['frames', 'end']);
  t.ok(bench.reader.isDone);
  t.same(bench.framesTaken(), ['bye']);
});

t.test(
  'a program that ended before the tunnel began is ended at once, and its closed stream is no error',
  async (t) => {
    const bench = new Bench({ isStarted: false });
    bench.stream.resume();
    bench.writes(null);
    await bench.turns();
    bench.stream.end();
    await bench.turns();
    t.same([bench.stream.readableEnded, bench.stream.destroyed], [true, true]);
    bench.reader.start();
    await bench.turns();
    t.same(bench.events, ['end']);
  },
);

t.test('a program that breaks off is an error', async (t) => {
  const bench = new Bench();
  bench.stream.destroy(new Error('ECONNRESET'));
  await bench.turns();
  t.ok(bench.events.includes('error'));
});

t.test('a program that broke off before the tunnel began is an error at once', async (t) => {
  const bench = new Bench();
  bench.stream.destroy();
  bench.events.length = 0;
  bench.reader.start();
  t.same(bench.events, ['error']);
});

t.test('an aborted reader gives no frames, and calls no handler when its stream closes', async (t) => {
  const bench = new Bench();
  bench.writes('hello');
  await bench.turns();
  bench.events.length = 0;
  bench.reader.abort();
  t.ok(bench.reader.isDone);
  t.equal(bench.reader.next, undefined);
  bench.writes('lost');
  bench.stream.destroy();
  await bench.turns();
  t.same(bench.events, []);
  t.equal(bench.clock.pending, 0);
});

t.test('a connection is probed every 5 s while its frames wait', async (t) => {
  const bench = new Bench();
  bench.writes('hello');
  await bench.turns();
  bench.clock.advance(10_000);
  t.equal(bench.probes, 2);
  bench.framesTaken();
  bench.clock.advance(20_000);
  t.equal(bench.probes, 2);
  t.equal(bench.clock.pending, 0);
});

t.test('a program whose bytes are discarded has half a minute to end, and a pipe has none', async (t) => {
  for (const [lingers, time] of [
    [true, 30_000],
    [false, 1],
  ] as const) {
    const bench = new Bench({ lingers });
    bench.reader.discard();
    bench.reader.linger();
    bench.writes('discarded');
    await bench.turns();
    t.equal(bench.reader.next, undefined);
    bench.clock.advance(time - 1);
    t.equal(bench.reader.isDone, !lingers);
    bench.clock.advance(1);
    t.ok(bench.reader.isDone);
  }
});

t.test('a stopped reader has no timers', async (t) => {
  const bench = new Bench();
  bench.writes('hello');
  await bench.turns();
  bench.reader.linger();
  bench.reader.stop();
  t.equal(bench.clock.pending, 0);
});
