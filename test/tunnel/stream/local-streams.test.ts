/** The local side of a tunnel: writer, standard input and output. */
import { PassThrough, Writable } from 'node:stream';
import t from 'tap';
import { openStdioPipe } from '../../../src/tunnel/client/stdio-pipe.js';
import { LocalWriter } from '../../../src/tunnel/stream/local-writer.js';
import { ManualClock } from '../../support/manual-clock.js';
import { SeededRandom } from '../../support/seeded-random.js';
import { channelPair } from '../support/channel-pair.js';
import { UpstreamPeer } from '../support/upstream-peer.js';
import { until, World } from '../support/world.js';

/** A program that takes bytes when the test lets it, and counts the system calls. */
class SlowSink extends Writable {
  readonly taken: Buffer[] = [];
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
    this.taken.push(...chunks);
    this.#next = done;
  }

  release(): void {
    const next = this.#next;
    this.#next = undefined;
    next?.();
  }
}

t.test('what comes in one turn is written at once, in order, and counted when it is taken', async (t) => {
  const clock = new ManualClock();
  const sink = new SlowSink();
  let delivered = 0;
  const writer = new LocalWriter(sink, clock, (bytes) => {
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
    await new Promise((resolve) => setImmediate(resolve));
  }
  t.same([writer.pending, delivered], [0, 8]);
  t.equal(Buffer.concat(sink.taken).toString(), 'abcdefgh');
});

t.test('single bytes are merged, and every byte keeps its place', async (t) => {
  const clock = new ManualClock();
  const random = new SeededRandom(1);
  const sink = new SlowSink();
  const writer = new LocalWriter(sink, clock, () => {});
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
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
  writer.end();
  while (!sink.writableFinished) {
    clock.advance(0);
    sink.release();
    await new Promise((resolve) => setImmediate(resolve));
  }
  t.ok(Buffer.concat(sink.taken).equals(Buffer.concat(sent)));
  t.ok(sink.taken.length < 3000, `${sink.taken.length} pieces of ${sent.length}`);
});

t.test('what waits keeps two and a half times its size and no more, whatever it came in', async (t) => {
  const clock = new ManualClock();
  const random = new SeededRandom(2);
  for (const [chunk, longest] of [
    [1400, 1],
    [1400, 1365],
    [65_536, 1365],
    [65_536, 1],
  ] as const) {
    const sink = new SlowSink();
    const writer = new LocalWriter(sink, clock, () => {});
    writer.write(Buffer.alloc(10));
    clock.advance(0);
    for (let count = 0; count < 5000; count += 1) {
      const memory = Buffer.allocUnsafeSlow(chunk);
      writer.write(memory.subarray(8, 8 + 1 + random.below(longest)));
    }
    sink.release();
    await new Promise((resolve) => setImmediate(resolve));
    clock.advance(0);
    // What the sink has been given, 256 KiB of it, is what waited.
    const given = sink.taken.slice(1);
    const bytes = given.reduce((sum, { length }) => sum + length, 0);
    const kept = [...new Set(given.map(({ buffer }) => buffer))].reduce((sum, { byteLength }) => sum + byteLength, 0);
    const cost = kept + given.length * 250;
    t.ok(cost <= bytes * 2.5 + 4096 + 250, `${cost} for ${bytes} bytes of up to ${longest} in ${chunk}`);
  }
});

t.test('packets that came joined wait in few pieces', async (t) => {
  const sink = new SlowSink();
  const clock = new ManualClock();
  const writer = new LocalWriter(sink, clock, () => {});
  const joined = Buffer.allocUnsafeSlow(46 * 1400);
  for (let at = 0; at < joined.length; at += 1400) writer.write(joined.subarray(at + 27, at + 1392));
  clock.advance(0);
  t.equal(Buffer.concat(sink.taken).length, 46 * 1365);
  t.ok(sink.taken.length <= 6, `${sink.taken.length} pieces`);
});

t.test('one piece alone, which the program may not take, keeps no more either', async (t) => {
  for (const [chunk, length] of [
    [65_536, 1365],
    [65_536, 1],
    [1400, 1],
  ] as const) {
    const sink = new SlowSink();
    const clock = new ManualClock();
    new LocalWriter(sink, clock, () => {}).write(Buffer.allocUnsafeSlow(chunk).subarray(8, 8 + length));
    clock.advance(0);
    t.same(
      sink.taken.map(({ buffer }) => buffer.byteLength),
      [length],
    );
  }
});

t.test('nothing is written after it was discarded', async (t) => {
  const clock = new ManualClock();
  const sink = new SlowSink();
  const writer = new LocalWriter(sink, clock, () => {});
  writer.write(Buffer.from('a'));
  writer.discard();
  writer.write(Buffer.from('b'));
  writer.end();
  clock.advance(0);
  t.same([sink.taken, writer.pending, sink.writableEnded], [[], 0, false]);
});

t.test('standard input and output carry to the end in both directions', async (t) => {
  const world = new World(t);
  const channels = channelPair({ seed: 4, refusals: 0.1 });
  const client = world.service();
  client.attach(channels.client);
  world.service().attach(channels.server);
  const port = await world.target((socket) => {
    const heard: Buffer[] = [];
    socket.on('data', (data: Buffer) => heard.push(data)).once('end', () => socket.end(Buffer.concat(heard)));
  });
  const [stdin, stdout] = [new PassThrough(), new PassThrough()];
  const heard: Buffer[] = [];
  stdout.on('data', (data: Buffer) => heard.push(data));
  const bytes = world.random.bytes(200_000);
  stdin.end(bytes);
  await openStdioPipe(client.opener(channels.client.peerId), { host: '127.0.0.1', port }, { stdin, stdout });
  t.ok(Buffer.concat(heard).equals(bytes));
});

t.test('a pipe to a refused target fails with the reason', async (t) => {
  const world = new World(t);
  const channels = channelPair();
  const client = world.service();
  client.attach(channels.client);
  world.service().attach(channels.server);
  const streams = { stdin: new PassThrough(), stdout: new PassThrough() };
  const opener = client.opener(channels.client.peerId);
  await t.rejects(openStdioPipe(opener, { host: '127.0.0.1', port: 1 }, streams), { code: 'connection-refused' });
  const lost = openStdioPipe(opener, { host: '127.0.0.1', port: await world.target(() => {}) }, streams);
  await until(() => client.list().length === 1);
  channels.client.close();
  await t.rejects(lost, { code: 'peer-gone' });
});

t.test('a pipe ends as soon as an upstream server ended it, though input is still open', async (t) => {
  const world = new World(t);
  const channels = channelPair();
  const client = world.service();
  client.attach(channels.client);
  new UpstreamPeer(channels.server, 'server', world.random);
  const port = await world.target((socket) => void socket.end('bye'));
  const [stdin, stdout] = [new PassThrough(), new PassThrough()];
  const heard: Buffer[] = [];
  stdout.on('data', (data: Buffer) => heard.push(data));
  const done = openStdioPipe(client.opener(channels.client.peerId), { host: '127.0.0.1', port }, { stdin, stdout });
  let isDone = false;
  void done.then(() => {
    isDone = true;
  });
  await until(() => {
    world.clock.advance(0);
    return isDone;
  });
  t.equal(Buffer.concat(heard).toString(), 'bye');
});
