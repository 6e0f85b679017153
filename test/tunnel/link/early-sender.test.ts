import { PassThrough } from 'node:stream';
import t from 'tap';
import { EarlySender } from '../../../src/tunnel/link/early-sender.js';
import { FrameScheduler } from '../../../src/tunnel/stream/frame-scheduler.js';
import { decodeFrame, type Frame } from '../../../src/tunnel/wire/frame.js';
import { decodeEarly, decodeForwardId, MAX_EARLY } from '../../../src/tunnel/wire/request.js';

const FORWARD_ID = 0xfedcba98;

/** A program behind a stream, and a channel that takes what the test lets it take. */
class Bench {
  readonly source = new PassThrough({ highWaterMark: 100_000 }).pause();
  readonly frames: Frame[] = [];
  readonly scheduler: FrameScheduler;
  frameData = 100;
  room = Number.POSITIVE_INFINITY;

  constructor() {
    this.scheduler = new FrameScheduler((packet) => {
      if (this.room === 0) return false;
      this.room -= 1;
      this.frames.push(decodeFrame(Buffer.from(packet)) as Frame);
      return true;
    });
  }

  sender(): EarlySender {
    const { scheduler, source } = this;
    return new EarlySender({ scheduler, source, frameData: () => this.frameData }, FORWARD_ID);
  }

  get sent(): string {
    return Buffer.concat(this.frames.map(decodeEarly)).toString();
  }
}

const turns = async (): Promise<void> => {
  for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setImmediate(resolve));
};

t.test('what the program sends goes out in frames that name the request', async (t) => {
  const bench = new Bench();
  bench.source.write('before ');
  const sender = bench.sender();
  await turns();
  bench.source.write('x'.repeat(150));
  await turns();
  t.equal(bench.sent, `before ${'x'.repeat(150)}`);
  t.equal(sender.sent, 157);
  for (const frame of bench.frames) {
    t.same([decodeForwardId(frame), frame.id], [FORWARD_ID, 0]);
    t.ok(frame.data.length <= 100);
  }
});

t.test('nothing beyond the limit is read', async (t) => {
  const bench = new Bench();
  const sender = bench.sender();
  bench.source.write(Buffer.alloc(MAX_EARLY + 1_000));
  await turns();
  t.same([sender.sent, bench.source.readableLength], [MAX_EARLY, 1_000]);
});

t.test('what a full channel did not take is still in the source, in order', async (t) => {
  const bench = new Bench();
  bench.room = 1;
  const sender = bench.sender();
  const text = Array.from({ length: 100 }, (_, index) => `${index} `).join('');
  bench.source.write(text);
  await turns();
  t.equal(sender.sent, 96);
  sender.stop();
  t.equal(bench.sent + String(bench.source.read()), text);
});

t.test('a full channel that drains gets the rest', async (t) => {
  const bench = new Bench();
  bench.room = 1;
  bench.sender();
  bench.source.write('y'.repeat(250));
  await turns();
  bench.room = 10;
  bench.scheduler.onDrain();
  t.equal(bench.sent, 'y'.repeat(250));
});

t.test(
  'a sender that was stopped sends nothing, and the source gives the rest to the next reader, and its end',
  async (t) => {
    const bench = new Bench();
    const sender = bench.sender();
    bench.source.write('one ');
    await turns();
    sender.stop();
    bench.source.end('two');
    await turns();
    t.equal(bench.sent, 'one ');
    const rest: Buffer[] = [];
    bench.source.on('data', (chunk: Buffer) => rest.push(chunk)).resume();
    let hasEnded = false;
    bench.source.once('end', () => {
      hasEnded = true;
    });
    await turns();
    t.same([Buffer.concat(rest).toString(), hasEnded], ['two', true]);
  },
);
