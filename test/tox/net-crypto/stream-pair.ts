/** The two ends of a session without its sealing, and a common link between them, for long transfers. */
import { MemoryBudget } from '../../../src/base/memory-budget.js';
import { CoalescedTimer } from '../../../src/tox/net-crypto/stream/coalesced-timer.js';
import { LoopTick } from '../../../src/tox/net-crypto/stream/loop-tick.js';
import { PacketMemory } from '../../../src/tox/net-crypto/stream/packet-memory.js';
import { Session } from '../../../src/tox/net-crypto/stream/session.js';
import { CryptoKind } from '../../../src/tox/packet/kind.js';
import type { DataContent } from '../../../src/tox/packet/net-crypto.js';
import { ManualClock } from '../../support/manual-clock.js';
import { SeededRandom } from '../../support/seeded-random.js';

const MIB = 1024 * 1024;
/** Bytes of the headers of IPv4, UDP and net_crypto. */
const HEADERS = 28 + 27;
/** Bytes of data in a full packet. */
export const FULL = 1373;

export interface LinkOptions {
  /** Mbit/s of IP packets; 0 for no limit. */
  rate: number;
  /** One-way delay, ms. */
  delay: number;
  /** The queue before the limit, ms at the rate. */
  queue: number;
  /** Fraction of packets that get lost, and the mean length of a run of them. */
  loss: number;
  burst: number;
  /** Most ms of additional delay, random for each packet, so that packets may be reordered. */
  jitter: number;
  /** ms between two reads of the receiver's socket, 0 for at once, and packets that the socket holds in between. */
  poll: number;
  pollPackets: number;
  /** Mbit/s that a policer passes, 0 for no policer, and ms of its bucket. */
  policer: number;
  policerBucket: number;
}

const PERFECT: LinkOptions = {
  rate: 0,
  delay: 1,
  queue: 100,
  loss: 0,
  burst: 1,
  jitter: 0,
  poll: 0,
  pollPackets: 180,
  policer: 0,
  policerBucket: 50,
};

/** One direction. Its options may be changed while it is in use. */
export class Link {
  readonly options: LinkOptions;
  readonly #clock: ManualClock;
  readonly #random: SeededRandom;
  readonly #unread: (() => void)[] = [];
  #freeAt = 0;
  #isLosing = false;
  #tokens = 0;
  #tokensAt = 0;
  carried = 0;
  /** Packets that overflowed the queue, the policer or the socket. */
  overflowed = 0;
  lost = 0;
  /** ms that packets waited in the queue, each counted once. */
  readonly waits: number[] = [];

  constructor(clock: ManualClock, random: SeededRandom, options: Partial<LinkOptions>) {
    this.#clock = clock;
    this.#random = random;
    this.options = { ...PERFECT, ...options };
  }

  carry(bytes: number, deliver: () => void): void {
    const { rate, delay, queue, jitter } = this.options;
    const now = this.#clock.now();
    if (!this.#passesPolicer(bytes, now)) {
      this.overflowed += 1;
      return;
    }
    let wait = 0;
    if (rate > 0) {
      wait = Math.max(0, this.#freeAt - now);
      if (wait > queue) {
        this.overflowed += 1;
        return;
      }
      this.#freeAt = now + wait + bytes / (rate * 125);
      this.waits.push(wait);
      wait = this.#freeAt - now;
    }
    if (this.#isLost()) {
      this.lost += 1;
      return;
    }
    this.carried += 1;
    this.#clock.after(wait + delay + (jitter > 0 ? jitter * this.#random.fraction() : 0), () => this.#arrive(deliver));
  }

  #arrive(deliver: () => void): void {
    const { poll, pollPackets } = this.options;
    if (poll === 0) {
      deliver();
      return;
    }
    if (this.#unread.length === 0) {
      const due = (Math.floor(this.#clock.now() / poll) + 1) * poll;
      this.#clock.after(due - this.#clock.now(), () => {
        for (const read of this.#unread.splice(0)) read();
      });
    }
    if (this.#unread.length < pollPackets) this.#unread.push(deliver);
    else this.overflowed += 1;
  }

  #passesPolicer(bytes: number, now: number): boolean {
    const { policer, policerBucket } = this.options;
    if (policer === 0) return true;
    const most = policer * 125 * policerBucket;
    this.#tokens = Math.min(most, this.#tokens + policer * 125 * (now - this.#tokensAt));
    this.#tokensAt = now;
    if (this.#tokens < bytes) return false;
    this.#tokens -= bytes;
    return true;
  }

  #isLost(): boolean {
    const { loss, burst } = this.options;
    if (loss === 0) return false;
    // Two states, as in Gilbert's model: a run ends with probability 1/burst, and begins so often that the mean is `loss`.
    const chance = this.#isLosing ? 1 - 1 / burst : loss / (burst * (1 - loss));
    this.#isLosing = this.#random.fraction() < chance;
    return this.#isLosing;
  }
}

/** One end: a session driven in ticks of the event loop, as by a connection. */
export class StreamEnd {
  readonly session: Session;
  readonly #tick: LoopTick;
  readonly #alarm: CoalescedTimer;
  /** Bytes of data received. */
  received = 0;
  /** Bytes of lossy packets received. */
  receivedLossy = 0;
  readonly #clock: ManualClock;
  onDrain: () => void = () => {};
  onLossless: (data: Buffer) => void = () => {};
  carry: (content: DataContent) => void = () => {};

  constructor(clock: ManualClock) {
    this.#clock = clock;
    this.#tick = new LoopTick(clock);
    this.#alarm = new CoalescedTimer(clock, (now) => this.onTickEnd(now));
    const budget = new MemoryBudget({ total: 128 * MIB, floor: MIB / 4 });
    this.session = new Session({
      memory: { received: budget.share(), sent: budget.share(), packets: new PacketMemory() },
      // A copy, as a sealed packet is one: the sender uses the memory again.
      emit: (bufferStart, packetNumber, data) => this.carry({ bufferStart, packetNumber, data: Buffer.from(data) }),
      handlers: {
        onLossless: (data) => {
          this.received += data.length;
          this.onLossless(data);
        },
        onLossy: (data) => {
          this.receivedLossy += data.length;
        },
        onDrain: () => this.onDrain(),
      },
      isOpen: () => true,
      isAlone: () => false,
      packetSize: () => undefined,
      path: { isBusy: () => false, pacesItself: false },
    });
  }

  receive(content: DataContent): void {
    this.session.receive(content, this.#tick.now());
    this.#tick.deferToEnd(this);
  }

  send(data: Buffer): boolean {
    const isTaken = this.session.sender.enqueue(data, false);
    if (isTaken) this.#tick.deferToEnd(this);
    return isTaken;
  }

  sendLossy(data: Buffer): boolean {
    const isTaken = this.session.lossy.send(data, this.#tick.now());
    this.#tick.deferToEnd(this);
    return isTaken;
  }

  /** Sends lossy packets of full size at a constant rate, Mbit/s of IP packets. @returns ends it */
  streamLossy(megabits: number): () => void {
    const perMs = (megabits * 125) / (FULL + HEADERS);
    let due = 0;
    const timer = this.#clock.every(1, () => {
      for (due += perMs; due >= 1; due -= 1) this.sendLossy(Buffer.alloc(FULL, 213));
    });
    return () => timer.cancel();
  }

  onTickEnd(now: number): void {
    this.session.onTickEnd(now);
    if (this.session.sender.isBehind) this.#tick.deferToEnd(this);
    else this.#alarm.setFor(this.session.wakeAt(now), now);
  }
}

export class StreamPair {
  readonly clock: ManualClock;
  readonly near: StreamEnd;
  readonly far: StreamEnd;
  /** From near to far, and back. */
  readonly out: Link;
  readonly back: Link;

  /**
   * @param options.isOurKind whether they learn that both are of our kind; otherwise they behave as with c-toxcore, except for its timing
   * @param options.back what differs in the other direction
   * @param options.beside a pair that already uses the link, which is shared
   */
  constructor(
    link: Partial<LinkOptions>,
    options: {
      readonly seed?: number;
      readonly isOurKind?: boolean;
      readonly back?: Partial<LinkOptions>;
      readonly beside?: StreamPair;
    } = {},
  ) {
    const { seed = 1, isOurKind = true, back = {}, beside } = options;
    const random = new SeededRandom(seed);
    this.clock = beside?.clock ?? new ManualClock();
    this.near = new StreamEnd(this.clock);
    this.far = new StreamEnd(this.clock);
    this.out = beside?.out ?? new Link(this.clock, random, link);
    this.back = beside?.back ?? new Link(this.clock, random, { ...link, ...back });
    const tie = (from: StreamEnd, to: StreamEnd, way: Link): void => {
      from.carry = (content) => {
        if (!isOurKind && content.data[0] === CryptoKind.Features) return;
        way.carry(content.data.length + HEADERS, () => to.receive(content));
      };
    };
    tie(this.near, this.far, this.out);
    tie(this.far, this.near, this.back);
    const now = this.clock.now();
    this.far.onTickEnd(now);
    this.near.onTickEnd(now);
    this.clock.advance(10);
    if (!isOurKind) return;
    // Small packets measure a round trip before the first transfer, as those of a tunnel's opening do.
    for (const end of [this.near, this.far]) end.send(Buffer.alloc(100, 162));
    this.clock.advance(2000);
    for (const end of [this.near, this.far]) end.received = 0;
  }

  /** Sends this many bytes in full packets. @returns ms until the last one has arrived, or Infinity after `limit` ms */
  transfer(bytes: number, limit: number): number {
    const startedAt = this.clock.now();
    const goal = this.far.received + Math.ceil(bytes / FULL) * FULL;
    this.fill(bytes);
    const isDone = this.clock.runUntil(() => this.far.received >= goal, limit);
    return isDone ? this.clock.now() - startedAt : Number.POSITIVE_INFINITY;
  }

  /** Sends this many bytes as fast as they are accepted. */
  fill(bytes: number, end = this.near): void {
    let left = Math.ceil(bytes / FULL);
    const more = (): void => {
      while (left > 0 && end.send(Buffer.alloc(FULL, 162))) left -= 1;
    };
    end.onDrain = more;
    more();
  }
}

/** Returns the bytes of data per ms that a link of this many Mbit/s carries in full packets. */
export const payloadRate = (megabits: number): number => megabits * 125 * (FULL / (FULL + HEADERS));
