/**
 * Flow control towards a relay: how much of our data it may have unread, and when more is sent. tox-bootstrapd checks its sockets
 * every 30 ms and takes whole packets only; data that overruns its kernel's receive buffer meanwhile may never be read
 * (docs/performance/notes.md). Linux enlarges that buffer when much was read at once and nothing came after it. So packets gather
 * here and are sent as one burst while the relay sleeps. A ping behind the burst shows when it was read. After a full burst two
 * more pings make the relay read again, and the next burst may be larger:
 *
 *     open      packets are sent at once; a ping follows when there were enough
 *     reading   the pong is awaited; packets gather
 *     resting   the relay is about to sleep, and would read in pieces what came now
 *     probing   another ping is sent, so that the relay's kernel notices how much was read
 *
 * A relay that has answered at once for a while gets packets as they come, while pings show how much is unread.
 */
import type { Clock, Timer } from '../../base/clock.js';

/** Bytes of the first burst: less than Linux's first window, 65,483 bytes on loopback, with all headers. */
const FIRST_LIMIT = 60 * 1024;
/** Bytes of the second burst: 90 KB always fit into a new buffer of 128 KiB, and so much makes it grow. */
const SECOND_LIMIT = 84 * 1024;
/** Bytes of the largest burst on a short path: some 13 MB/s through tox-bootstrapd. */
const MAX_LIMIT = 640 * 1024;
/** Bytes of the largest burst for each ms of round trip, on a long path; and their limit. */
const MAX_RATE = 14 * 1024;
const MAX_FAR_LIMIT = 1536 * 1024;
/** Growth of the burst. Linux 6.18 makes the buffer at least 2.6 times as large as a burst; headers take some of it. */
const GROWTH = 1.6;
/** Pings after a full burst. */
const PROBES = 2;
/** A burst is full when it has so much of the limit. */
const FULL = 0.9;
/** ms within which an answer is prompt, and after which it is late. One late answer outweighs three prompt ones. */
const PROMPT = 5;
const LATE = 10;
const LATE_WEIGHT = 3;
/** A relay is prompt after so many prompt answers; at most so many are counted. */
const PROMPT_PONGS = 8;
const MAX_PROMPT_PONGS = 32;
/** Bytes that a prompt relay may have unread, which fit into every buffer measured; and bytes between two pings. */
const PROMPT_LIMIT = 90 * 1024;
const PROMPT_SPACING = 24 * 1024;
/** Bytes that are sent at once before packets gather. */
const SMALL = 16 * 1024;
/** ms of rest: half of the time that the relay waited, and at most half of tox-bootstrapd's sleep. */
const MAX_REST = 15;
const MIN_REST = 2;
/** A burst that took so much longer than the quickest full one was read in parts, because it did not fit. */
const IN_PARTS = 1.4;
const IN_PARTS_SLACK = 3;
/** ms beyond twice the quickest one, after which TCP must have retransmitted. */
const RETRANSMITTED = 100;
const SHRINKING = 0.7;
const BOUND_SHRINKING = 0.85;
/** Growth of the quickest time with each full burst; and of the bound, which doubles in some eight seconds. */
const FORGETTING = 1.01;
const RECOVERY = 1.004;
/** ms without a pong after which the relay has stalled: at least so many, and a multiple of the average wait. */
const STALL = 1_500;
const STALL_WAITS = 4;
const SMOOTHING = 1 / 8;

export interface RelayFlowDeps {
  readonly clock: Clock;
  /** Takes all packets, or none; then `drained` is called when there is room. */
  write(packets: readonly Buffer[]): boolean;
  /** Sends a ping, whose answer is passed to `pong`. */
  ping(): void;
  /** There is room again after a `send` that returned false. */
  onDrain(): void;
  /** The relay has stopped reading. */
  onStall(): void;
}

export class RelayFlow {
  readonly #deps: RelayFlowDeps;
  #limit = FIRST_LIMIT;
  #bound: number;
  #phase: 'open' | 'reading' | 'resting' | 'probing' = 'open';
  #gathered: Buffer[] = [];
  #gatheredBytes = 0;
  /** Bytes of the last burst. */
  #burst = 0;
  /** Bytes since the last ping. */
  #unpinged = 0;
  /** Bytes sent that no pong has confirmed. */
  #unread = 0;
  /** Unread bytes that were sent before the last ping. */
  #pinged = 0;
  #promptPongs = 0;
  #probesLeft = 0;
  #wasFull = false;
  #pingedAt = 0;
  /** The shortest round trip to the relay, ms. */
  #rtt: number;
  #averageWait = 0;
  /** ms of the quickest full burst, from the pong before it to its own. */
  #leastCycle = Number.POSITIVE_INFINITY;
  #cycleStartedAt = 0;
  #timer: Timer | undefined;

  /** @param options.rtt ms that connecting took @param options.bound bytes of the largest burst, if it has stalled before */
  constructor(deps: RelayFlowDeps, options: { readonly rtt: number; readonly bound?: number | undefined }) {
    this.#deps = deps;
    this.#rtt = options.rtt;
    this.#bound = options.bound ?? MAX_FAR_LIMIT;
  }

  /** Bytes of the next burst, at most. */
  get limit(): number {
    return this.#limit;
  }

  /** The bound for the next connection to a relay that has stalled; undefined when a lower one would not help. */
  get lowerBound(): number | undefined {
    return this.#limit > FIRST_LIMIT ? Math.max(FIRST_LIMIT, this.#limit / 2) : undefined;
  }

  /** Whether packets gather, so that they may be sent as fast as `send` takes them; a prompt relay gets them as they come. */
  get gathers(): boolean {
    return this.#promptPongs < PROMPT_PONGS;
  }

  /** Whether `send` would refuse. */
  get isFull(): boolean {
    return this.#gatheredBytes >= this.#limit;
  }

  /** Sends a packet, now or in the next burst. @returns false when it was not taken; `onDrain` follows */
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

  /** Drops packets that begin with this byte and have not been sent. */
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

  /** The relay has read everything that was sent before the ping. */
  pong(): void {
    if (this.#phase !== 'reading' && this.#phase !== 'probing') return;
    this.#timer?.cancel();
    const now = this.#deps.clock.now();
    const wait = now - this.#pingedAt;
    this.#rtt = Math.min(this.#rtt, wait);
    this.#unread -= this.#pinged;
    this.#pinged = 0;
    if (this.#phase === 'probing') {
      this.#probesLeft -= 1;
    } else {
      this.#averageWait = this.#averageWait === 0 ? wait : this.#averageWait + (wait - this.#averageWait) * SMOOTHING;
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

  /** A full burst was read. @param cycle ms that it took */
  #adapt(cycle: number): void {
    this.#leastCycle = Math.min(this.#leastCycle * FORGETTING, cycle);
    if (cycle <= this.#leastCycle * IN_PARTS + IN_PARTS_SLACK) {
      const most = Math.min(this.#bound, Math.max(MAX_LIMIT, this.#rtt * MAX_RATE));
      this.#bound = Math.min(MAX_FAR_LIMIT, this.#bound * RECOVERY);
      if (this.#limit >= most) return;
      this.#limit = Math.min(most, this.#limit < SECOND_LIMIT ? SECOND_LIMIT : this.#limit * GROWTH);
      this.#probesLeft = PROBES;
    } else if (cycle > 2 * this.#leastCycle + RETRANSMITTED) {
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
    if (this.#probesLeft > 0) {
      this.#ask('probing');
      return;
    }
    this.#phase = 'open';
    this.#burst = this.#gatheredBytes;
    this.#release();
  }

  /** Sends what has gathered, if the socket has room. */
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

  #ask(phase: 'reading' | 'probing'): void {
    const { clock, onStall, ping } = this.#deps;
    this.#phase = phase;
    this.#unpinged = 0;
    this.#pinged = this.#unread;
    this.#pingedAt = clock.now();
    // We may have been blocked ourselves: then the pong waits in our socket and is read before the second timer.
    this.#timer = clock.after(Math.max(STALL, STALL_WAITS * this.#averageWait), () => {
      this.#timer = clock.soon(onStall);
    });
    ping();
  }
}
