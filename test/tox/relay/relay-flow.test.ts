import t from 'tap';
import { RelayFlow } from '../../../src/tox/relay/relay-flow.js';
import { ManualClock } from '../../support/manual-clock.js';

const PACKET = Buffer.alloc(1401, 16);
/** ms between two looks of tox-bootstrapd, bytes of a fresh receive buffer, and how Linux 6.18 enlarges it. */
const INTERVAL = 30;
const BUFFER = 128 * 1024;
const ENLARGING = 2.8;

/**
 * A flow, and a relay at the end of a way of so many ms. Looks of it that come `every` so many ms take all that is there; what
 * does not fit into its buffer ends all reading. The buffer grows when a look finds next to nothing after a large one.
 */
class FlowBench {
  readonly clock = new ManualClock();
  readonly flow: RelayFlow;
  readonly written: Buffer[] = [];
  hasRoom = true;
  isReading = true;
  pings = 0;
  drains = 0;
  stalls = 0;
  /** Bytes read. */
  read = 0;
  buffer = BUFFER;
  #unread = 0;
  #readAtOnce = 0;
  #pingsThere = 0;

  constructor(options: { readonly every: number; readonly rtt?: number; readonly bound?: number }) {
    const rtt = options.rtt ?? 1;
    this.flow = new RelayFlow(
      {
        clock: this.clock,
        write: (packets) => {
          if (!this.hasRoom) return false;
          this.written.push(...packets);
          const bytes = packets.reduce((sum, { length }) => sum + length, 0);
          this.clock.after(rtt / 2, () => this.#arrived(bytes));
          return true;
        },
        ping: () => {
          this.pings += 1;
          this.clock.after(rtt / 2, () => {
            this.#pingsThere += 1;
          });
        },
        onDrain: () => {
          this.drains += 1;
        },
        onStall: () => {
          this.stalls += 1;
          this.flow.stop();
        },
      },
      { rtt, bound: options.bound },
    );
    this.clock.every(options.every, () => this.#look(rtt));
  }

  /** Keeps it full. @returns bytes a ms that were read meanwhile */
  fillFor(duration: number): number {
    const before = this.read;
    for (let passed = 0; passed < duration; passed += 1) {
      while (this.flow.send(PACKET));
      this.clock.advance(1);
    }
    return (this.read - before) / duration;
  }

  #arrived(bytes: number): void {
    this.#unread += bytes;
    if (this.#unread > this.buffer) this.isReading = false;
  }

  #look(rtt: number): void {
    if (!this.isReading) return;
    if (this.#unread === 0 && this.#pingsThere > 0) this.buffer = Math.max(this.buffer, ENLARGING * this.#readAtOnce);
    this.#readAtOnce = this.#unread;
    this.read += this.#unread;
    this.#unread = 0;
    for (; this.#pingsThere > 0; this.#pingsThere -= 1) this.clock.after(rtt / 2, () => this.flow.pong());
  }
}

t.test('a relay that reads every 30 ms gets bursts that grow with its buffer', async (t) => {
  const bench = new FlowBench({ every: INTERVAL });
  bench.fillFor(1000);
  const rate = bench.fillFor(2000);
  t.ok(rate > 12_000, `${rate} bytes a ms`);
  t.ok(bench.isReading && bench.stalls === 0, 'and never more than it takes');
});

t.test('packets for a relay that answers at once do not wait', async (t) => {
  const bench = new FlowBench({ every: 0.1 });
  const first = bench.flow.limit;
  const rate = bench.fillFor(1000);
  t.ok(rate > 20_000, `${rate} bytes a ms`);
  t.equal(bench.flow.limit, first);
});

t.test('on a long path bursts grow until they fill it', async (t) => {
  const bench = new FlowBench({ every: 0.5, rtt: 100 });
  bench.buffer = Number.POSITIVE_INFINITY;
  bench.fillFor(3000);
  const rate = bench.fillFor(2000);
  t.ok(rate > 11_000, `${rate} bytes a ms`);
});

t.test('a small amount is sent at once', async (t) => {
  const { flow, written, pings } = new FlowBench({ every: INTERVAL });
  flow.send(Buffer.from([16, 1]));
  flow.send(Buffer.from([16, 2]));
  t.same(written, [Buffer.from([16, 1]), Buffer.from([16, 2])]);
  t.equal(pings, 0);
});

t.test('gathered packets are sent in order as one burst, up to the limit, and then there is room again', async (t) => {
  const bench = new FlowBench({ every: INTERVAL });
  let count = 0;
  for (;;) {
    const packet = Buffer.alloc(1000, 16);
    packet.writeUInt16BE(count, 1);
    if (!bench.flow.send(packet)) break;
    count += 1;
  }
  const passed = bench.written.length;
  t.ok(passed > 10 && passed < 20, `${passed} passed`);
  t.ok(bench.flow.isFull && count - passed <= bench.flow.limit / 1000 + 1);
  t.equal(bench.drains, 0);
  bench.clock.advance(3 * INTERVAL);
  t.same(
    bench.written.map((packet) => packet.readUInt16BE(1)),
    Array.from({ length: count }, (_, number) => number),
  );
  t.equal(bench.drains, 1);
  t.notOk(bench.flow.isFull);
});

t.test('while the socket has no room packets gather', async (t) => {
  const bench = new FlowBench({ every: INTERVAL });
  bench.hasRoom = false;
  t.ok(bench.flow.send(PACKET));
  bench.hasRoom = true;
  t.ok(bench.flow.send(PACKET), 'in order');
  t.equal(bench.written.length, 0);
  bench.flow.drained();
  t.equal(bench.written.length, 2);
});

t.test('withdrawn packets are not sent', async (t) => {
  const bench = new FlowBench({ every: INTERVAL });
  while (bench.flow.send(PACKET));
  const before = bench.written.length;
  bench.flow.withdraw(16);
  t.ok(bench.flow.send(Buffer.from([17, 1])));
  bench.clock.advance(3 * INTERVAL);
  t.same(bench.written.slice(before), [Buffer.from([17, 1])]);
});

t.test('a relay that stops reading is noticed within two seconds, and gets a lower bound', async (t) => {
  const bench = new FlowBench({ every: INTERVAL });
  bench.fillFor(2000);
  const { limit, lowerBound = 0 } = bench.flow;
  t.ok(lowerBound <= limit / 2, `${lowerBound} of ${limit}`);
  bench.isReading = false;
  bench.fillFor(1700);
  t.equal(bench.stalls, 1);
  const next = new FlowBench({ every: INTERVAL, bound: lowerBound });
  next.fillFor(2000);
  t.ok(next.flow.limit <= lowerBound * 1.1, `${next.flow.limit}`);
});

t.test('a relay that stalls at the first burst gets no lower bound', async (t) => {
  const bench = new FlowBench({ every: INTERVAL });
  bench.isReading = false;
  bench.fillFor(1700);
  t.equal(bench.stalls, 1);
  t.equal(bench.flow.lowerBound, undefined);
});

t.test('a burst that takes far too long makes the next ones smaller', async (t) => {
  const bench = new FlowBench({ every: INTERVAL });
  bench.fillFor(2000);
  const before = bench.flow.limit;
  bench.isReading = false;
  bench.fillFor(300);
  bench.isReading = true;
  bench.fillFor(100);
  t.ok(bench.flow.limit < before, `${bench.flow.limit} after ${before}`);
  t.equal(bench.stalls, 0);
});
