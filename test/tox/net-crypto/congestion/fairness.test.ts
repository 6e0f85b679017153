/**
 * How flows share a bottleneck of 50 Mbit/s and 40 ms, on the simulated clock. Chance decides much of a single start, so the smallest
 * share counts that is the median of five starts.
 */
import t from 'tap';
import { SeededRandom } from '../../../support/seeded-random.js';
import { type LinkOptions, type StreamEnd, StreamPair } from '../stream-pair.js';
import { Bbr, type CongestionControl, Cubic, TcpFlow } from '../tcp-flow.js';

const LINK = { rate: 50, delay: 20 } as const;
/** ms of the queue: one bandwidth-delay product, and four. */
const QUEUES = [40, 160];
/** ms between the starts of two flows, until their rates are stable, and of the measurement. */
const BETWEEN = 5000;
const SETTLED = 6000;
const MEASURED = 10_000;
/** ms between the starts of our two peers. */
const STARTS = [0, 7, 14, 21, 28];
/** ms between the ticks in which a busy process handles received packets. */
const BUSY = 5;
/** Most ms by which a packet comes later to the bottleneck; without them, flows in step lose always or never (Floyd, Jacobson 1991). */
const LATE = 0.5;

/** A flow through the bottleneck, and the bytes that it has delivered. */
type Flow = () => number;

class Contest {
  readonly #first: StreamPair;
  readonly #second: StreamPair;
  readonly #flows: Flow[] = [];
  readonly #between: number;
  readonly #random = new SeededRandom(1);

  constructor(queue: number, between = 0) {
    this.#between = between;
    const link: Partial<LinkOptions> = { ...LINK, queue };
    this.#first = new StreamPair(link);
    this.#second = new StreamPair(link, { beside: this.#first });
    for (const { near } of [this.#first, this.#second]) {
      const { carry } = near;
      const late = this.#comeLate();
      near.carry = (content) => late(() => carry(content));
    }
  }

  /** @returns lets the packets of a flow come to the bottleneck later, in order */
  #comeLate(): (arrive: () => void) => void {
    const { clock } = this.#first;
    let last = 0;
    return (arrive) => {
      last = Math.max(last, clock.now() + LATE * this.#random.fraction());
      clock.after(last - clock.now(), arrive);
    };
  }

  startPeers(count = 2): void {
    for (const pair of [this.#first, this.#second].slice(0, count)) {
      pair.fill(Number.POSITIVE_INFINITY);
      this.#flows.push(() => pair.far.received);
      this.advance(this.#between);
    }
  }

  startRival(control: CongestionControl): void {
    const { clock, out, back } = this.#first;
    const late = this.#comeLate();
    const way = { carry: (bytes: number, deliver: () => void): void => late(() => out.carry(bytes, deliver)) };
    const flow = new TcpFlow(clock, { out: way, back }, control);
    this.#flows.push(() => flow.received);
  }

  advance(ms: number): void {
    this.#first.clock.advance(ms);
  }

  /** Makes our ends handle received packets only every `interval` ms. TCP, which runs in the kernel, does not wait. */
  delayPeers(interval: number): void {
    for (const pair of [this.#first, this.#second]) for (const end of [pair.near, pair.far]) this.#delay(end, interval);
  }

  #delay(end: StreamEnd, interval: number): void {
    const { clock } = this.#first;
    const receive = end.receive.bind(end);
    const waiting: Parameters<typeof receive>[0][] = [];
    end.receive = (content) => {
      waiting.push(content);
      if (waiting.length > 1) return;
      clock.after(interval - (clock.now() % interval), () => {
        for (const one of waiting.splice(0)) receive(one);
      });
    };
  }

  /** The rate of each flow, as a part of its fair share. @param settled ms before it is measured @param measured ms */
  shares(settled = SETTLED, measured = MEASURED): number[] {
    this.advance(settled);
    const before = this.#flows.map((flow) => flow());
    this.advance(measured);
    const got = this.#flows.map((flow, index) => flow() - (before[index] ?? 0));
    const fair = got.reduce((sum, bytes) => sum + bytes, 0) / got.length;
    return got.map((bytes) => bytes / fair);
  }
}

/** @param run starts the flows @returns the median of the smallest shares */
function smallestShare(queue: number, run: (contest: Contest) => void): number {
  const shares = STARTS.map((between) => {
    const contest = new Contest(queue, between);
    run(contest);
    return Math.min(...contest.shares());
  });
  return shares.sort((a, b) => a - b)[2] as number;
}

for (const queue of QUEUES) {
  t.test(`two peers share a bottleneck with a queue of ${queue} ms`, async (t) => {
    const share = smallestShare(queue, (contest) => contest.startPeers());
    t.ok(share >= 0.8, `${share}`);
  });

  for (const Control of [Cubic, Bbr]) {
    const rival = `a transfer by TCP with ${Control.name} at a queue of ${queue} ms`;
    t.test(`two peers that start first take and leave a third of a fair share beside ${rival}`, async (t) => {
      const share = smallestShare(queue, (contest) => {
        contest.startPeers();
        contest.advance(BETWEEN);
        contest.startRival(new Control());
      });
      t.ok(share >= 1 / 3, `${share}`);
    });
  }
}

for (const [Control, queue] of [
  [Cubic, 40],
  [Cubic, 160],
  [Bbr, 40],
  [Bbr, 160],
] as const) {
  const rival = `a transfer by TCP with ${Control.name} at a queue of ${queue} ms`;
  t.test(`two peers that start later take and leave a third of a fair share beside ${rival}`, async (t) => {
    const share = smallestShare(queue, (contest) => {
      contest.startRival(new Control());
      contest.advance(BETWEEN);
      contest.startPeers();
    });
    t.ok(share >= 1 / 3, `${share}`);
  });
}

for (const queue of QUEUES) {
  const rival = `a transfer by TCP with Cubic at a queue of ${queue} ms`;
  t.test(`two peers on a busy machine take and leave a third of a fair share beside ${rival}`, async (t) => {
    const share = smallestShare(queue, (contest) => {
      contest.delayPeers(BUSY);
      contest.startPeers();
      contest.advance(BETWEEN);
      contest.startRival(new Cubic());
    });
    t.ok(share >= 1 / 3, `${share}`);
  });
}

t.test(
  'a peer that starts beside a queue of 160 ms that Cubic keeps full soon has a third of a fair share',
  async (t) => {
    for (const ahead of [6000, 7000, 8000]) {
      const contest = new Contest(160);
      contest.startRival(new Cubic());
      contest.advance(ahead);
      contest.startPeers(1);
      const shares = contest.shares(0, 6000);
      t.ok(Math.min(...shares) >= 1 / 3, `${shares}`);
    }
  },
);
