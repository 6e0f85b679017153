/** The rate of a peer, on a simulated clock. */
import t from 'tap';
import { RateLimit, type RateWaiter } from '../../../src/tunnel/stream/rate-limit.js';
import { ManualClock } from '../../support/manual-clock.js';

const FRAME = 1365;
const KIB = 1024;
const MIB = 1024 * KIB;

/** A stream that carries as much as it may, in frames. */
class Stream implements RateWaiter {
  readonly #limit: RateLimit;
  readonly #frame: number;
  /** Bytes that it has left to carry. */
  left: number;
  carried = 0;

  constructor(limit: RateLimit, { left = Number.POSITIVE_INFINITY, frame = FRAME } = {}) {
    this.#limit = limit;
    this.#frame = frame;
    this.left = left;
  }

  onRoom(): void {
    while (this.left > 0 && this.#limit.room(this) > 0) {
      const bytes = Math.min(this.#frame, this.left);
      this.#limit.spend(this, bytes);
      this.left -= bytes;
      this.carried += bytes;
    }
  }
}

const start = (limit: RateLimit, options?: ConstructorParameters<typeof Stream>[1]): Stream => {
  const stream = new Stream(limit, options);
  stream.onRoom();
  return stream;
};
/** Whether a value is within 5 % of what is expected. */
const isNear = (value: number, expected: number): boolean => Math.abs(value - expected) <= expected * 0.05;

t.test('the rate is kept within 5 % over 10 s, from 4 KiB to 1 GiB a second', (t) => {
  for (const rate of [4 * KIB, 64 * KIB, 5 * MIB, 100 * MIB, 1024 * MIB]) {
    const clock = new ManualClock();
    const stream = start(new RateLimit(clock, rate));
    clock.advance(10_000);
    t.ok(isNear(stream.carried, rate * 10), `${stream.carried} of ${rate * 10}`);
    const before = stream.carried;
    clock.advance(10_000);
    t.ok(isNear(stream.carried - before, rate * 10), `then ${stream.carried - before}`);
  }
  t.end();
});

t.test('after an idle time at most a second of the rate passes at once, and 10 s are within 5 % all the same', (t) => {
  const clock = new ManualClock();
  const limit = new RateLimit(clock, MIB);
  clock.advance(3_600_000);
  const stream = start(limit);
  t.ok(stream.carried > MIB / 8 && stream.carried < MIB, `${stream.carried} bytes`);
  clock.advance(10_000);
  t.ok(isNear(stream.carried, 10 * MIB), `${stream.carried} bytes`);
  t.end();
});

t.test('streams have equal shares, whatever the size of their frames, and what one leaves the others take', (t) => {
  const clock = new ManualClock();
  const limit = new RateLimit(clock, 100 * KIB);
  const streams = [1365, 100, 1365, 500].map((frame) => start(limit, { frame }));
  const small = start(limit, { left: 10 * KIB });
  clock.advance(10_000);
  t.equal(small.carried, 10 * KIB);
  for (const { carried } of streams) t.ok(Math.abs(carried - 247 * KIB) < 20 * KIB, `${carried} bytes`);
  const all = streams.reduce((sum, { carried }) => sum + carried, small.carried);
  t.ok(isNear(all, 1000 * KIB), `${all} bytes`);
  t.end();
});

t.test('a stream that comes later waits for one turn of the others, not for all of their bytes', (t) => {
  const clock = new ManualClock();
  const limit = new RateLimit(clock, MIB);
  for (let count = 0; count < 4; count += 1) start(limit);
  clock.advance(1_000);
  const late = start(limit, { left: 100 });
  clock.advance(60);
  t.equal(late.carried, 100);
  t.end();
});

t.test('a change counts at once, and without a limit everything passes', (t) => {
  const clock = new ManualClock();
  const limit = new RateLimit(clock, 100 * MIB);
  const stream = start(limit);
  clock.advance(1_000);
  limit.limitTo(10 * KIB);
  let before = stream.carried;
  clock.advance(10_000);
  t.ok(isNear(stream.carried - before, 100 * KIB), `${stream.carried - before} bytes`);
  limit.limitTo(10 * MIB);
  before = stream.carried;
  clock.advance(1_000);
  t.ok(isNear(stream.carried - before, 10 * MIB), `${stream.carried - before} bytes`);
  stream.left = 500 * MIB;
  limit.limitTo(undefined);
  t.equal(stream.left, 0);
  t.equal(clock.pending, 0);
  t.end();
});

t.test('a stream that leaves is not called any more, and no timer is left', (t) => {
  const clock = new ManualClock();
  const limit = new RateLimit(clock, 10 * KIB);
  const stream = start(limit);
  clock.advance(100);
  const { carried } = stream;
  limit.leave(stream);
  t.equal(clock.pending, 0);
  clock.advance(1_000);
  t.equal(stream.carried, carried);
  t.end();
});

t.test('datagrams above the rate are dropped, and neither they nor a stream keep the other out', (t) => {
  const clock = new ManualClock();
  const limit = new RateLimit(clock, 100 * KIB);
  let passed = 0;
  /** A second of 2000 datagrams. */
  const flood = (): void => {
    for (let count = 0; count < 2_000; count += 1) {
      if (limit.police(1_000)) passed += 1_000;
      clock.advance(0.5);
    }
  };
  for (let second = 0; second < 10; second += 1) flood();
  t.ok(isNear(passed, 1000 * KIB), `${passed} bytes alone`);
  passed = 0;
  const stream = start(limit);
  for (let second = 0; second < 10; second += 1) flood();
  t.ok(isNear(passed + stream.carried, 1000 * KIB), `${passed} + ${stream.carried} bytes`);
  t.ok(passed > 400 * KIB && stream.carried > 400 * KIB, 'half each');
  t.ok(new RateLimit(clock, undefined).police(1e9), 'without a limit everything passes');
  t.end();
});
