import { Duplex } from 'node:stream';
import t from 'tap';
import type { LocalEnd } from '../../../src/tunnel/stream/local-end.js';
import { LocalProgram } from '../../../src/tunnel/stream/local-program.js';
import { decodeFrame, TCP } from '../../../src/tunnel/wire/frame.js';
import { ManualClock } from '../../support/manual-clock.js';

/** A program behind a stream, which takes what it gets at once. */
class Bench {
  readonly clock = new ManualClock();
  readonly events: string[] = [];
  readonly taken: Buffer[] = [];
  readonly stream = new Duplex({
    allowHalfOpen: true,
    read: () => {},
    write: (chunk: Buffer, _, done) => {
      this.taken.push(chunk);
      done();
    },
  });
  readonly program: LocalProgram;
  dataSize = 4;

  constructor(options: { readonly lingers?: boolean } = {}) {
    const end: LocalEnd = {
      source: this.stream,
      sink: this.stream,
      lingers: options.lingers ?? true,
      localPort: 7,
      remoteAddress: undefined,
      probe: (onSound) => onSound(),
      reset: (reason) => {
        this.events.push(`reset ${reason}`);
        this.stream.destroy(new Error('reset'));
      },
      destroy: () => this.events.push('destroy'),
    };
    this.program = new LocalProgram(
      { clock: this.clock, end },
      { type: TCP, id: 5, dataSize: () => this.dataSize },
      {
        onFrames: () => this.events.push('frames'),
        onSaidAll: () => this.events.push('said all'),
        onDelivered: (bytes) => this.events.push(`delivered ${bytes}`),
        onHasAll: () => this.events.push('has all'),
        onBroken: () => this.events.push('broken'),
      },
    );
    this.program.start();
  }

  says(text: string | null): void {
    this.stream.push(text === null ? null : Buffer.from(text));
  }

  /** Lets streams and the clock have their turns. */
  async turns(): Promise<void> {
    for (let turn = 0; turn < 5; turn += 1) {
      await new Promise((resolve) => setImmediate(resolve));
      this.clock.advance(0);
    }
  }

  framesTaken(): string[] {
    const texts: string[] = [];
    for (let frame = this.program.next; frame !== undefined; frame = this.program.next) {
      texts.push(`${decodeFrame(frame)?.data}`);
      this.program.shift();
    }
    return texts;
  }
}

t.test('what it says becomes frames, in parts that fit', async (t) => {
  const bench = new Bench();
  bench.says('hello');
  await bench.turns();
  t.same(bench.events, ['frames']);
  t.same(bench.framesTaken(), ['hell', 'o']);
});

t.test('frames that wait are cut anew when the path takes only smaller ones', async (t) => {
  const bench = new Bench();
  bench.says('abcdefghijkl');
  await bench.turns();
  t.equal(`${decodeFrame(bench.program.next as Buffer)?.data}`, 'abcd');
  bench.program.shift();
  t.equal(`${decodeFrame(bench.program.next as Buffer)?.data}`, 'efgh');
  bench.dataSize = 3;
  t.same(bench.framesTaken(), ['efg', 'hij', 'kl']);
  bench.dataSize = 4;
  bench.says('mnop');
  await bench.turns();
  t.same(bench.framesTaken(), ['mnop']);
});

t.test('what comes is delivered, and each direction ends on its own', async (t) => {
  const bench = new Bench();
  bench.program.write(Buffer.from('hello'));
  t.equal(bench.program.pending, 5);
  bench.program.end();
  await bench.turns();
  t.same(bench.events.splice(0), ['delivered 5', 'has all']);
  t.equal(Buffer.concat(bench.taken).toString(), 'hello');
  t.same([bench.program.hasAll, bench.program.hasSaidAll, bench.program.isOver], [true, false, false]);
  bench.says('bye');
  bench.says(null);
  await bench.turns();
  t.same(bench.events, ['frames', 'said all']);
  t.ok(bench.program.isOver);
  t.same(bench.framesTaken(), ['bye'], 'which is still to be sent');
});

t.test('a program is read until 32 KiB of frames wait, and again before they are all sent', async (t) => {
  const bench = new Bench();
  bench.says('a'.repeat(40_000));
  await bench.turns();
  t.ok(bench.stream.isPaused());
  while (bench.stream.isPaused() && bench.program.next !== undefined) bench.program.shift();
  t.not(bench.program.next, undefined, 'there is something to send meanwhile');
});

t.test('a program that breaks off says so', async (t) => {
  const bench = new Bench();
  bench.stream.destroy(new Error('ECONNRESET'));
  await bench.turns();
  t.ok(bench.events.includes('broken'));
});

t.test('one that has broken off before the tunnel began is noticed as well', async (t) => {
  const bench = new Bench();
  bench.stream.destroy();
  bench.events.length = 0;
  bench.program.start();
  t.same(bench.events, ['broken']);
});

t.test('one that is broken off sees an error, and is not told of again', async (t) => {
  const bench = new Bench();
  bench.says('hello');
  await bench.turns();
  bench.program.write(Buffer.from('lost'));
  bench.events.length = 0;
  bench.program.reset('peer-gone');
  t.ok(bench.program.isOver);
  t.equal(bench.program.next, undefined);
  await bench.turns();
  t.same(
    bench.events.filter((event) => event !== 'broken'),
    ['reset peer-gone'],
  );
  t.same(bench.taken, []);
});

t.test('one that talks to nobody has half a minute, and a pipe none', async (t) => {
  for (const [lingers, patience] of [
    [true, 30_000],
    [false, 1],
  ] as const) {
    const bench = new Bench({ lingers });
    bench.program.end();
    await bench.turns();
    bench.program.ignore();
    bench.program.linger();
    bench.says('to nobody');
    await bench.turns();
    t.equal(bench.program.next, undefined);
    bench.clock.advance(patience - 1);
    t.equal(bench.program.isOver, !lingers);
    bench.clock.advance(1);
    t.ok(bench.program.isOver);
  }
});

t.test('after destroy nobody lingers', async (t) => {
  const bench = new Bench();
  bench.program.linger();
  bench.program.destroy();
  t.equal(bench.clock.pending, 0);
  t.same(bench.events, ['destroy']);
});
