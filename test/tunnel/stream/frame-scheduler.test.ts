import t from 'tap';
import { FrameScheduler, type FrameSource } from '../../../src/tunnel/stream/frame-scheduler.js';

/** Bytes of a sender's frame, so that 16 are a quantum. */
const FRAME = 1280;

/** Sends `left` frames that carry its name. */
class Sender implements FrameSource {
  readonly #scheduler: FrameScheduler;
  readonly #name: string;
  left: number;

  constructor(scheduler: FrameScheduler, name: string, left: number) {
    this.#scheduler = scheduler;
    this.#name = name;
    this.left = left;
  }

  sendUpTo(limit: number): 'idle' | 'more' | 'full' {
    for (let sent = 0; sent < limit && this.left > 0; sent += FRAME) {
      if (!this.#scheduler.send(Buffer.from(this.#name.padEnd(FRAME)))) return 'full';
      this.left -= 1;
    }
    return this.left > 0 ? 'more' : 'idle';
  }
}

function setup(room: number) {
  const sent: string[] = [];
  const state = { room };
  const scheduler: FrameScheduler = new FrameScheduler((frame) => {
    if (state.room === 0) return false;
    state.room -= 1;
    sent.push(frame.toString().trim());
    return true;
  });
  const drain = (more: number): void => {
    state.room = more;
    scheduler.onDrain();
  };
  return { scheduler, sent, drain };
}

t.test('senders take turns, and none is passed over, however small the room', async (t) => {
  for (const room of [1, 3, 16, 17, 100]) {
    const { scheduler, sent, drain } = setup(0);
    const senders = ['a', 'b', 'c'].map((name) => new Sender(scheduler, name, 200));
    for (const sender of senders) scheduler.schedule(sender);
    while (sent.length < 300) drain(room);
    const counts = ['a', 'b', 'c'].map((name) => sent.slice(0, 300).filter((frame) => frame === name).length);
    t.ok(Math.max(...counts) - Math.min(...counts) <= 32, `room for ${room}: ${counts}`);
  }
});

t.test('an interrupted sender continues with its quantum, so shares are equal for any room', async (t) => {
  const { scheduler, sent, drain } = setup(0);
  for (const name of ['a', 'b']) scheduler.schedule(new Sender(scheduler, name, 1000));
  for (let count = 0; count < 20; count += 1) {
    drain(1);
    drain(15);
  }
  const count = sent.filter((name) => name === 'a').length;
  t.ok(Math.abs(count - sent.length / 2) <= 16, `${count} of ${sent.length}`);
});

t.test('a sender that had nothing to send goes before those that always have', async (t) => {
  const { scheduler, sent, drain } = setup(0);
  for (const name of ['a', 'b']) scheduler.schedule(new Sender(scheduler, name, 1000));
  drain(40);
  sent.length = 0;
  const small = new Sender(scheduler, 'x', 1);
  scheduler.schedule(small);
  drain(3);
  t.equal(sent[0], 'x');
});

t.test('many small senders do not starve those that always send', async (t) => {
  const { scheduler, sent, drain } = setup(0);
  const bulk = new Sender(scheduler, 'b', 1000);
  const small = new Sender(scheduler, 'x', 0);
  scheduler.schedule(bulk);
  for (let count = 0; count < 100; count += 1) {
    small.left = 1;
    scheduler.schedule(small);
    drain(2);
  }
  const share = sent.filter((name) => name === 'b').length / sent.length;
  t.ok(share >= 0.45, `${share}`);
});

t.test('senders get equal bytes, however long their frames', async (t) => {
  const bytes = { long: 0, short: 0 };
  let room = 0;
  const scheduler: FrameScheduler = new FrameScheduler((frame) => {
    if (room === 0) return false;
    room -= 1;
    bytes[frame.length > 500 ? 'long' : 'short'] += frame.length;
    return true;
  });
  for (const size of [1373, 100]) {
    scheduler.schedule({
      sendUpTo: (limit) => {
        for (let sent = 0; sent < limit; sent += size) if (!scheduler.send(Buffer.alloc(size))) return 'full';
        return 'more';
      },
    });
  }
  room = 20_000;
  scheduler.onDrain();
  t.ok(bytes.short / bytes.long > 0.9, `${bytes.short} and ${bytes.long} bytes`);
});

t.test('frames of the link go first, in order', async (t) => {
  const { scheduler, sent, drain } = setup(0);
  scheduler.schedule(new Sender(scheduler, 'x', 2));
  scheduler.push(Buffer.from('1'));
  scheduler.push(Buffer.from('2'));
  drain(10);
  t.same(sent, ['1', '2', 'x', 'x']);
});

t.test('nothing is sent between a refusal and the drain', async (t) => {
  const { scheduler, sent, drain } = setup(1);
  const sender = new Sender(scheduler, 'x', 3);
  scheduler.schedule(sender);
  t.same(sent, ['x']);
  scheduler.schedule(sender);
  scheduler.push(Buffer.from('1'));
  t.same(sent, ['x']);
  drain(10);
  t.same(sent, ['x', '1', 'x', 'x']);
});

t.test('a removed sender and a closed scheduler send nothing', async (t) => {
  const { scheduler, sent, drain } = setup(0);
  const sender = new Sender(scheduler, 'x', 3);
  scheduler.schedule(sender);
  drain(0);
  scheduler.remove(sender);
  drain(10);
  t.same(sent, []);
  scheduler.close();
  scheduler.push(Buffer.from('1'));
  scheduler.schedule(sender);
  t.same(sent, []);
});

t.test(
  'waiting answers hold at most half a MiB, however long they are, and our own frames are always taken',
  async (t) => {
    for (const size of [8, 1373]) {
      const { scheduler, sent, drain } = setup(0);
      const answer = Buffer.alloc(size, 'a');
      let taken = 0;
      for (let count = 0; count < 100_000; count += 1) if (scheduler.offer(answer)) taken += 1;
      t.ok(taken * (size + 256) <= 512 * 1024 + size + 256, `${taken} of ${size} bytes`);
      t.ok(taken * (size + 256) >= 512 * 1024);
      t.notOk(scheduler.hasRoom);
      scheduler.push(Buffer.from('ours'));
      drain(1_000_000);
      t.equal(sent.length, taken + 1);
      t.equal(sent.at(-1), 'ours');
      t.ok(scheduler.offer(answer), 'room again');
    }
  },
);
