/**
 * How much a relay may have unread of us, and when it gets it. tox-bootstrapd looks at its sockets every 30 ms and takes whole
 * packets only; what overruns its kernel's receive buffer meanwhile may never be taken again (docs/performance/notes.md).
 * Linux makes that buffer larger when much was read at once and nothing came after it. So packets gather here and go as one
 * burst while the relay sleeps. A ping behind it tells when it was read; after a full one the relay has to look twice more, at pings
 * only, and the next burst may be larger:
 *
 *     open      a little passes through at once, with a ping behind it
 *     reading   until the pong comes; packets gather
 *     resting   what reached the relay now it would read in pieces
 *     looking   at another ping, so that its kernel takes notice of what was read
 *
 * A relay that has answered at once for a while gets its packets as they come, while pings tell how much is unread.
 */
import type { Clock, Timer } from '../../base/clock.js';

/** Bytes of the first burst: less than Linux's first window, 65,483 bytes on loopback, with all headers. */
const FIRST_LIMIT = 60 * 1024;
/** Of the second one: 90 KB always fit into a fresh buffer of 128 KiB, and so much makes it grow. */
const SECOND_LIMIT = 84 * 1024;
/** Bytes of the largest burst at the least: through tox-bootstrapd some 13 MB/s. */
const MAX_LIMIT = 640 * 1024;
/** Bytes for each ms to the relay and back, on a longer way; and the bound of that. */
const MAX_RATE = 14 * 1024;
const MAX_FAR_LIMIT = 1536 * 1024;
/** Linux 6.18 was seen to make the buffer 2.6 times as large as a burst and more; headers take some of it. */
const GROWTH = 1.6;
const LOOKS = 2;
/** A burst that fills so much of the limit is a full one. */
const FULL = 0.9;
/** Ms of a prompt answer, and of one that is not and outweighs some of those. */
const PROMPT = 5;
const LATE = 10;
const LATE_WEIGHT = 3;
/** From so many on, of at the most so many that count, the relay is prompt. */
const PROMPT_PONGS = 8;
const MAX_PROMPT_PONGS = 32;
/** Bytes that a prompt relay may have unread, which no buffer was seen to refuse; and between two pings to it. */
const PROMPT_LIMIT = 90 * 1024;
const PROMPT_SPACING = 24 * 1024;
/** Bytes that pass through before packets gather. */
const SMALL = 16 * 1024;
/** Ms of rest: half of what the relay itself waited, and no more than half of tox-bootstrapd's sleep. */
const MAX_REST = 15;
const MIN_REST = 2;
/** What took so much longer than the quickest full burst was read in parts: it did not fit. */
const IN_PARTS = 1.4;
const IN_PARTS_SLACK = 3;
/** Ms beyond twice the quickest one, after which TCP must have sent something again. */
const SENT_AGAIN = 100;
const SHRINKING = 0.7;
const BOUND_SHRINKING = 0.85;
/** What a full burst adds to the quickest one known, for relays change; and to the bound, which doubles in some eight seconds. */
const FORGETTING = 1.01;
const RECOVERY = 1.004;
/** Ms without a pong after which the connection is given up: the least, and in usual waits. */
const STALL = 1_500;
const STALL_WAITS = 4;
const SMOOTHING = 1 / 8;

export interface RelayFlowDeps {
  readonly clock: Clock;
  /** Takes all packets, in one system call if it can; or none: then `drained` is called when there is room. */
  write(packets: readonly Buffer[]): boolean;
  /** Sends a ping, of whose answer `pong` is told. */
  ping(): void;
  /** There is room again where there was none. */
  onDrain(): void;
  /** The relay reads no more. */
  onStall(): void;
}

export class RelayFlow {
  readonly #deps: RelayFlowDeps;
  #limit = FIRST_LIMIT;
  #bound: number;
  #phase: 'open' | 'reading' | 'resting' | 'looking' = 'open';
  #gathered: Buffer[] = [];
  #gatheredBytes = 0;
  /** Bytes of the last burst. */
  #burst = 0;
  /** Bytes since the last ping. */
  #unpinged = 0;
  /** Bytes that went and of which no pong tells; and of these, those before the ping. */
  #unread = 0;
  #pinged = 0;
  #promptPongs = 0;
  #looksLeft = 0;
  #wasFull = false;
  #pingedAt = 0;
  /** ms to the relay and back, as far as is known. */
  #rtt: number;
  #usualWait = 0;
  /** Of a full burst, ms from the pong before it to its own. */
  #leastCycle = Number.POSITIVE_INFINITY;
  #cycleStartedAt = 0;
  #timer: Timer | undefined;

  /**
   * @param options.rtt ms that it took to connect
   * @param options.bound bytes of the largest burst, of a relay that has stalled before
   */
  constructor(deps: RelayFlowDeps, options: { readonly rtt: number; readonly bound?: number | undefined }) {
    this.#deps = deps;
    this.#rtt = options.rtt;
    this.#bound = options.bound ?? MAX_FAR_LIMIT;
  }

  /** Bytes of the next burst at the most. */
  get limit(): number {
    return this.#limit;
  }

  /** What the next connection to a relay that has stalled should not exceed; undefined when less would not help. */
  get lowerBound(): number | undefined {
    return this.#limit > FIRST_LIMIT ? Math.max(FIRST_LIMIT, this.#limit / 2) : undefined;
  }

  /** Whether packets may come as fast as `send` takes them, and gather; a prompt relay gets them as they come. */
  get gathers(): boolean {
    return this.#promptPongs < PROMPT_PONGS;
  }

  /** Whether `send` would refuse. */
  get isFull(): boolean {
    return this.#gatheredBytes >= this.#limit;
  }

  /** @returns false when the packet was not taken; `onDrain` tells when to go on */
  send(packet: Buffer): boolean {
    if (this.isFull) return false;
    if (this.#mayPass && this.#gatheredBytes === 0 && this.#deps.write([packet])) {
      this.#wrote(packet.length);
      return true;
    }
    this.#gathered.push(packet);
    this.#gatheredBytes += packet.length;
    this.#wasFull ||= this.isFull;
    return true;
  }

  /** Takes back what begins with this byte and has not gone. */
  withdraw(firstByte: number): void {
    this.#gathered = this.#gathered.filter((packet) => packet[0] !== firstByte);
    this.#gatheredBytes = this.#gathered.reduce((sum, { length }) => sum + length, 0);
  }

  /** The socket has room again. */
  drained(): void {
    if (this.#mayPass) this.#release();
  }

  get #mayPass(): boolean {
    if (this.#phase === 'open') return true;
    return this.#phase === 'reading' && !this.gathers && this.#unread < PROMPT_LIMIT;
  }

  /** The relay has read all that went before the ping. */
  pong(): void {
    if (this.#phase !== 'reading' && this.#phase !== 'looking') return;
    this.#timer?.cancel();
    const now = this.#deps.clock.now();
    const wait = now - this.#pingedAt;
    this.#rtt = Math.min(this.#rtt, wait);
    this.#unread -= this.#pinged;
    this.#pinged = 0;
    if (this.#phase === 'looking') {
      this.#looksLeft -= 1;
    } else {
      this.#usualWait = this.#usualWait === 0 ? wait : this.#usualWait + (wait - this.#usualWait) * SMOOTHING;
      if (wait <= PROMPT) this.#promptPongs = Math.min(MAX_PROMPT_PONGS, this.#promptPongs + 1);
      else if (wait > LATE) this.#promptPongs = Math.max(0, this.#promptPongs - LATE_WEIGHT);
      if (this.#burst >= this.#limit * FULL && wait > PROMPT) this.#adapt(now - this.#cycleStartedAt);
    }
    this.#cycleStartedAt = now;
    this.#rest(this.gathers ? Math.min(MAX_REST, (wait - this.#rtt) / 2) : 0);
  }

  stop(): void {
    this.#timer?.cancel();
    this.#gathered = [];
    this.#gatheredBytes = 0;
  }

  /** A full burst was read. @param cycle ms */
  #adapt(cycle: number): void {
    this.#leastCycle = Math.min(this.#leastCycle * FORGETTING, cycle);
    if (cycle <= this.#leastCycle * IN_PARTS + IN_PARTS_SLACK) {
      const most = Math.min(this.#bound, Math.max(MAX_LIMIT, this.#rtt * MAX_RATE));
      this.#bound = Math.min(MAX_FAR_LIMIT, this.#bound * RECOVERY);
      if (this.#limit >= most) return;
      this.#limit = Math.min(most, this.#limit < SECOND_LIMIT ? SECOND_LIMIT : this.#limit * GROWTH);
      this.#looksLeft = LOOKS;
    } else if (cycle > 2 * this.#leastCycle + SENT_AGAIN) {
      this.#bound = Math.max(FIRST_LIMIT, this.#limit * BOUND_SHRINKING);
      this.#limit = Math.max(FIRST_LIMIT, this.#limit * SHRINKING);
    }
  }

  #rest(duration: number): void {
    this.#phase = 'resting';
    if (duration < MIN_REST) this.#goOn();
    else this.#timer = this.#deps.clock.after(duration, () => this.#goOn());
  }

  #goOn(): void {
    if (this.#looksLeft > 0) {
      this.#ask('looking');
      return;
    }
    this.#phase = 'open';
    this.#burst = this.#gatheredBytes;
    this.#release();
  }

  /** Lets go what has gathered, at once, if the socket has room. */
  #release(): void {
    const bytes = this.#gatheredBytes;
    if (bytes > 0) {
      if (!this.#deps.write(this.#gathered)) return;
      this.#gathered = [];
      this.#gatheredBytes = 0;
      this.#wrote(bytes);
    }
    if (!this.#wasFull || this.isFull) return;
    this.#wasFull = false;
    this.#deps.onDrain();
  }

  #wrote(bytes: number): void {
    this.#unread += bytes;
    this.#unpinged += bytes;
    if (this.#phase === 'open' && this.#unpinged >= (this.gathers ? SMALL : PROMPT_SPACING)) this.#ask('reading');
  }

  #ask(phase: 'reading' | 'looking'): void {
    const { clock, onStall, ping } = this.#deps;
    this.#phase = phase;
    this.#unpinged = 0;
    this.#pinged = this.#unread;
    this.#pingedAt = clock.now();
    // We may have stood still ourselves: then the pong is there, and only was not looked at.
    this.#timer = clock.after(Math.max(STALL, STALL_WAITS * this.#usualWait), () => {
      this.#timer = clock.soon(onStall);
    });
    ping();
  }
}
