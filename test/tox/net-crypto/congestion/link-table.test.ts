/** Congestion control on common links: three transfers in a row, with pauses, on the simulated clock. */
import t from 'tap';
import { FULL, type LinkOptions, payloadRate, StreamPair } from '../stream-pair.js';

interface Row {
  readonly name: string;
  readonly link: Partial<LinkOptions>;
  /** Bytes of each transfer. */
  readonly bytes: number;
  /** Least part of the link's rate that the first transfer gets, and each later one. */
  readonly first: number;
  readonly later: number;
  /** ms that at most one of twenty packets of a later transfer waits longer than. */
  readonly queue: number;
  /** Part of the packets of a later transfer, and of the first, that are retransmitted beyond those that the link loses. */
  readonly again?: number;
  readonly firstAgain?: number;
  /** Mbit/s with which the goodput of the first and of later transfers is compared, if not the rate of the link. */
  readonly rates?: readonly [number, number];
  readonly isOurKind?: boolean;
  /** What happens during the first transfer. */
  readonly change?: (pair: StreamPair) => void;
}

const after = (ms: number, options: Partial<LinkOptions>) => (pair: StreamPair) =>
  void pair.clock.after(ms, () => {
    for (const link of [pair.out, pair.back]) Object.assign(link.options, options);
  });

/** ms that at most half of the packets of any transfer wait longer than. */
const MEDIAN_QUEUE = 25;

const percentile = (values: number[], part: number): number =>
  values.sort((a, b) => a - b)[Math.floor(values.length * part)] ?? 0;

const ROWS: readonly Row[] = [
  {
    name: 'fast and far: 480 Mbit/s, 40 ms',
    link: { rate: 480, delay: 20, queue: 50 },
    bytes: 60e6,
    first: 0.8,
    later: 0.95,
    queue: 20,
  },
  { name: '100 Mbit/s, 50 ms', link: { rate: 100, delay: 25 }, bytes: 20e6, first: 0.9, later: 0.97, queue: 20 },
  {
    name: 'the same with 1 % loss',
    link: { rate: 100, delay: 25, loss: 0.01 },
    bytes: 20e6,
    first: 0.87,
    later: 0.94,
    queue: 20,
  },
  {
    name: '10 Mbit/s, 300 ms, 3 % loss in bursts of 3',
    link: { rate: 10, delay: 150, loss: 0.03, burst: 3 },
    bytes: 8e6,
    first: 0.87,
    later: 0.87,
    queue: 95,
    again: 0.02,
    firstAgain: 0.15,
  },
  {
    name: '100 Mbit/s, 300 ms, where start-up loses thousands of packets',
    link: { rate: 100, delay: 150, queue: 100 },
    bytes: 60e6,
    first: 0.3,
    later: 0.6,
    queue: 100,
    firstAgain: 1,
  },
  {
    name: '20 Mbit/s, 80 ms, 0.1 % loss, 200 ms of queue',
    link: { rate: 20, delay: 40, queue: 200, loss: 0.001 },
    bytes: 10e6,
    first: 0.93,
    later: 0.95,
    queue: 40,
  },
  { name: '1 Gbit/s, 2 ms', link: { rate: 1000, delay: 1 }, bytes: 100e6, first: 0.95, later: 0.97, queue: 5 },
  {
    name: 'the way up of a home line: 5 Mbit/s, 60 ms, 1 s of queue',
    link: { rate: 5, delay: 30, queue: 1000 },
    bytes: 4e6,
    first: 0.93,
    later: 0.95,
    queue: 30,
  },
  {
    name: 'its way down: 30 Mbit/s',
    link: { rate: 30, delay: 30, queue: 1000 },
    bytes: 15e6,
    first: 0.93,
    later: 0.95,
    queue: 18,
  },
  {
    name: 'a queue of 5 ms: 20 Mbit/s, 40 ms',
    link: { rate: 20, delay: 20, queue: 5 },
    bytes: 10e6,
    first: 0.8,
    later: 0.93,
    queue: 6,
    again: 0.05,
  },
  {
    name: 'a queue of 8 ms on a long way: 10 Mbit/s, 290 ms, 0.6 % loss',
    link: { rate: 9.7, delay: 143, queue: 8, loss: 0.006, burst: 1.6 },
    bytes: 20e6,
    first: 0.5,
    later: 0.8,
    queue: 9,
    again: 0.1,
    firstAgain: 0.1,
  },
  {
    name: 'packets that overtake each other by 10 ms',
    link: { rate: 50, delay: 15, jitter: 10 },
    bytes: 20e6,
    first: 0.9,
    later: 0.93,
    queue: 30,
  },
  {
    name: 'a policer of 20 Mbit/s',
    link: { rate: 100, delay: 20, policer: 20 },
    bytes: 10e6,
    first: 0.9,
    later: 0.93,
    queue: 5,
    again: 0.1,
    firstAgain: 0.16,
    rates: [20, 20],
  },
  {
    name: 'a rate that halves',
    link: { rate: 50, delay: 20, queue: 200 },
    change: after(1500, { rate: 25 }),
    bytes: 20e6,
    first: 0.95,
    later: 0.95,
    queue: 30,
    rates: [25, 25],
  },
  {
    name: 'a rate that doubles',
    link: { rate: 25, delay: 20, queue: 200 },
    change: after(1500, { rate: 50 }),
    bytes: 20e6,
    first: 0.7,
    later: 0.95,
    queue: 30,
    rates: [50, 50],
  },
  {
    name: 'a rate that grows tenfold',
    link: { rate: 10, delay: 20, queue: 200 },
    change: after(1500, { rate: 100 }),
    bytes: 30e6,
    first: 0.5,
    later: 0.95,
    queue: 30,
    rates: [100, 100],
  },
  {
    name: 'a rate that falls to a twentieth for a second',
    link: { rate: 50, delay: 20, queue: 200 },
    change: (pair) => {
      after(1500, { rate: 2.5 })(pair);
      after(2500, { rate: 50 })(pair);
    },
    bytes: 30e6,
    first: 0.65,
    later: 0.95,
    queue: 30,
  },
  {
    name: 'a way that becomes longer: 20 ms, then 100',
    link: { rate: 50, delay: 10, queue: 200 },
    change: after(1500, { delay: 50 }),
    bytes: 20e6,
    first: 0.45,
    later: 0.93,
    queue: 200,
  },
  {
    name: 'a way that becomes shorter: 100 ms, then 20',
    link: { rate: 50, delay: 50, queue: 200 },
    change: after(1600, { delay: 10 }),
    bytes: 20e6,
    first: 0.65,
    later: 0.95,
    queue: 10,
  },
  {
    name: 'a rate that halves before a queue of 20 ms',
    link: { rate: 50, delay: 20, queue: 20 },
    change: after(1500, { rate: 25 }),
    bytes: 20e6,
    first: 0.95,
    later: 0.95,
    queue: 20,
    rates: [25, 25],
  },
  {
    name: '1 % loss, to c-toxcore',
    link: { rate: 100, delay: 25, loss: 0.01 },
    bytes: 20e6,
    first: 0.8,
    later: 0.88,
    queue: 40,
    isOurKind: false,
  },
  {
    name: 'a queue of 5 ms: 20 Mbit/s, 40 ms, to c-toxcore',
    link: { rate: 20, delay: 20, queue: 5 },
    bytes: 10e6,
    first: 0.75,
    later: 0.75,
    queue: 6,
    again: 0.13,
    isOurKind: false,
  },
  {
    name: 'a queue of 5 ms: 100 Mbit/s, 40 ms, to c-toxcore',
    link: { rate: 100, delay: 20, queue: 5 },
    bytes: 20e6,
    first: 0.75,
    later: 0.85,
    queue: 6,
    again: 0.1,
    firstAgain: 0.2,
    isOurKind: false,
  },
  {
    name: 'the same to one that reads its socket each 50 ms, 20 Mbit/s',
    link: { rate: 20, delay: 20, queue: 5, poll: 50 },
    bytes: 10e6,
    first: 0.65,
    later: 0.7,
    queue: 6,
    again: 0.05,
    isOurKind: false,
  },
  {
    name: 'the way up of a home line, to c-toxcore',
    link: { rate: 5, delay: 30, queue: 1000 },
    bytes: 4e6,
    first: 0.93,
    later: 0.95,
    queue: 40,
    isOurKind: false,
  },
  {
    name: 'a policer of 20 Mbit/s, to c-toxcore',
    link: { rate: 100, delay: 20, policer: 20 },
    bytes: 10e6,
    first: 0.9,
    later: 0.93,
    queue: 5,
    again: 0.1,
    firstAgain: 0.2,
    rates: [20, 20],
    isOurKind: false,
  },
];

for (const row of ROWS) {
  const { name, link, bytes, first, later, queue, again = 0.005, firstAgain = 0.1, rates } = row;
  t.test(name, async (t) => {
    const pair = new StreamPair(link, { isOurKind: row.isOurKind ?? true });
    row.change?.(pair);
    for (const [turn, part] of [first, later, later].entries()) {
      const before = { again: pair.near.session.sender.retransmissions, lost: pair.out.lost };
      pair.out.waits.length = 0;
      const rate = bytes / pair.transfer(bytes, 60_000);
      const of = rate / payloadRate((turn === 0 ? rates?.[0] : rates?.[1]) ?? (link.rate as number));
      t.ok(of >= part, `${Math.round(of * 100)} % of the rate`);
      const lost = pair.out.lost - before.lost;
      const needless = (pair.near.session.sender.retransmissions - before.again - lost) / (bytes / FULL);
      t.ok(
        needless <= (turn === 0 ? firstAgain : again),
        `${(needless * 100).toFixed(1)} % sent again besides what was lost`,
      );
      const waits = [0.5, 0.95].map((part) => percentile(pair.out.waits, part)) as [number, number];
      t.ok(waits[0] <= MEDIAN_QUEUE, `${waits[0]} ms in the queue, median`);
      if (turn > 0) t.ok(waits[1] <= queue, `${waits[1]} ms in the queue, 95 %`);
      pair.clock.advance(3000);
    }
  });
}

t.test('a home connection carries both directions at once: 30 and 5 Mbit/s, 60 ms, 1 s of queue', async (t) => {
  // Each direction delays the acks of the other, so that a single run says little.
  for (let start = 0; start < 6; start += 1) {
    const pair = new StreamPair({ rate: 30, delay: 30, queue: 1000 }, { back: { rate: 5 } });
    pair.fill(Number.POSITIVE_INFINITY);
    pair.clock.advance(10 * start);
    pair.fill(Number.POSITIVE_INFINITY, pair.far);
    for (const [span, leastDown, leastUp] of [
      [2000, 0.75, 0.95],
      [10_000, 0.97, 0.97],
    ] as const) {
      for (const end of [pair.far, pair.near]) end.received = 0;
      for (const link of [pair.out, pair.back]) link.waits.length = 0;
      pair.clock.advance(span);
      const down = pair.far.received / span / payloadRate(30);
      const up = pair.near.received / span / payloadRate(5);
      t.ok(down >= leastDown && up >= leastUp, `${down} down, ${up} up`);
      const waits = [pair.out, pair.back].map((link) => percentile(link.waits, 0.5));
      t.ok(Math.max(...waits) <= 100, `${waits} ms in the queues, medians`);
    }
  }
});

t.test('the way down of a home connection doubles its rate while the way up is busy', async (t) => {
  const pair = new StreamPair({ rate: 15, delay: 30, queue: 1000 }, { back: { rate: 5 } });
  for (const end of [pair.near, pair.far]) pair.fill(Number.POSITIVE_INFINITY, end);
  pair.clock.advance(3000);
  pair.out.options.rate = 30;
  pair.clock.advance(1500);
  pair.far.received = 0;
  pair.clock.advance(2000);
  const down = pair.far.received / 2000 / payloadRate(30);
  t.ok(down >= 0.95, `${down}`);
});

t.test('a peer that reads its socket every 50 ms gets what the socket holds, and little more', async (t) => {
  let packets = 0;
  let overflowed = 0;
  // A single packet decides when a buffer overflows; four paths together show more than one.
  for (const delay of [0.5, 2, 5, 10]) {
    const pair = new StreamPair({ delay, poll: 50, pollPackets: 180 }, { isOurKind: false });
    pair.fill(Number.POSITIVE_INFINITY);
    pair.clock.advance(3000);
    const before = { bytes: pair.far.received, overflowed: pair.out.overflowed };
    pair.clock.advance(5000);
    packets += (pair.far.received - before.bytes) / FULL;
    overflowed += pair.out.overflowed - before.overflowed;
  }
  const most = 4 * 180 * 20 * 5;
  t.ok(packets >= 0.65 * most, `${packets} of ${most}`);
  t.ok(overflowed <= 0.1 * packets, `${overflowed} lost of ${packets}`);
});
