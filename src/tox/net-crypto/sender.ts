/**
 * The sending half of a connection: takes packets, lets them go as the congestion control allows, sends lost ones again and
 * probes when the peer falls silent. Pure but for `transmit`: the connection calls it with the time, and asks when next.
 */
import { TokenBucket } from '../../base/token-bucket.js';
import { MAX_CRYPTO_DATA_SIZE, SAFE_CRYPTO_DATA_SIZE } from '../packet/net-crypto.js';
import { LONGEST_RUN } from '../packet/net-crypto-request.js';
import type { AckSample } from './ack-sample.js';
import type { Congestion } from './congestion.js';
import type { ReorderingWindow } from './loss-detection.js';
import { addToNumber, distanceBetween } from './packet-number.js';
import type { PacketSize } from './packet-size.js';
import type { Rtt } from './rtt.js';
import { MAX_IN_FLIGHT_NUMBERS, type SendWindow, WIRE_OVERHEAD } from './send-window.js';

/** The queue of unsent packets spans this many ms at the present rate; interactive tunnels wait behind it. */
const QUEUE_SPAN = 5;
/** Bytes; the least is filled anew whenever half of it has gone, which takes no longer than a turn of the event loop. */
const MIN_QUEUE = 16 * 1024;
/** Bytes while no round trip is known, and perhaps no session. */
const FIRST_QUEUE = 64 * 1024;
const MAX_QUEUE = 1024 * 1024;
/** Bytes beyond the bound for our own few packets (ALIVE, ONLINE), which have nowhere to wait. */
const URGENT_RESERVE = 64 * 1024;

/** Packets in one turn of the event loop, about half a ms; what arrives meanwhile then has its turn. */
const MAX_PACKETS_PER_TICK = 64;
/** Unsent packets that make larger ones worth looking for. */
const WORTH_PROBING = 8;
/** Packets from the first one that are sent again although the window is full; our own lists tell of 1,300 missing ones, and what seems in flight behind those is gone. */
const RETRANSMIT_ALWAYS = 64;
const RETRANSMIT_LISTED = 2048;
/**
 * A late timer catches up on this many ms, in a burst of no more than so many bytes. The least is for slow
 * paths, where it is what follows a wait for the window: below the 10 packets that RFC 9002 has any queue take.
 */
const BURST_SPAN = 4;
const MIN_BURST = 8 * 1428;
const MAX_BURST = 512 * 1024;
/** ms between bursts; timers are no finer. */
const BURST_INTERVAL = 1;

/** RFC 8985: packets are taken to overtake each other by this part of the smallest round trip, and by as much more each time that was too little. */
const REORDERING_STEP = 1 / 4;
/** So many recent round trips after which a packet reported missing is lost whatever arrived. */
const MAX_REORDERING_WINDOW = 1.1;
/** ms without a word about packets in flight after which nothing new goes: the peer is blocked, or gone. */
const PEER_TIMEOUT = 300;
/** Bytes in flight from which on silence is meant; c-toxcore confirms a few small packets only each second. */
const PEER_TIMEOUT_BYTES = 16 * 1428;
/** ms between the probes that a silent peer gets. */
const PROBE_INTERVAL = 250;
/** ms that the first probe waits beyond two round trips: our own receiver takes 10 ms to confirm. */
const PROBE_SLACK = 15;
/** Probes without an answer after which the way is doubted, half a second after the first one. */
const MAX_UNANSWERED_PROBES = 3;
/** Of 21,845 transmissions in a row lost, the peer's nonce never recovers; stop well before. */
const MAX_UNACKNOWLEDGED = MAX_IN_FLIGHT_NUMBERS;
/** At 4 a second they last 17 minutes, when every other layer has given up. */
const MAX_PROBES = 4096;

/**
 * Numbers of which lists may speak a second, and at once; each costs some 6 ns. Our own receiver keeps to half
 * of it (ack-schedule), c-toxcore's to a tenth; who repeats its lists without end makes us read no more.
 */
const NUMBERS_READ_PER_SECOND = 2_000_000;
const NUMBERS_READ_AT_ONCE = 4 * MAX_IN_FLIGHT_NUMBERS;

export interface SenderDeps {
  readonly window: SendWindow;
  readonly congestion: Pick<Congestion, 'congestionWindow' | 'pacingRate' | 'measurement' | 'onAck' | 'onPathLost'>;
  readonly rtt: Rtt;
  /** Seals and sends one packet. @param size bytes up to which it is padded */
  transmit(number: number, data: Buffer, size?: number): void;
  /** That of the path that packets take now; undefined where all sizes pass. */
  packetSize(): PacketSize | undefined;
  /** Sends a request packet, which tells the peer how much it should have. */
  advertise(): void;
  /** Whether a packet that is sent now would be lost for want of room. @param size bytes of its data */
  isBlocked(size: number): boolean;
  /** Whether the way itself says when it is full, so that it sets the pace, and what is sent too early is not lost. */
  pacesItself(): boolean;
}

export class Sender {
  readonly #deps: SenderDeps;
  readonly #listTokens = new TokenBucket(NUMBERS_READ_PER_SECOND, NUMBERS_READ_AT_ONCE, 0);
  /** Bytes that may go now; negative after a packet that was larger than what was left. */
  #budget = 0;
  #budgetAt = Number.NEGATIVE_INFINITY;
  #isPaced = false;
  #isRefusing = false;
  /** When the peer last told something of our packets, or we began to wait for it. */
  #ackedAt = 0;
  #probes = 0;
  #unacknowledged = 0;
  #retransmissions = 0;
  #reorderingSteps = 0;
  /** When the last silence of the peer ended; -Infinity once a round trip that began later was measured. */
  #silenceEndedAt = Number.NEGATIVE_INFINITY;
  /** The first number of which all transmissions went by the route in use. */
  #routeFirst = 0;
  #isRouteConfirmed = false;
  /** Whether the peer should be asked at once what it lacks. */
  #isProbeUrgent = false;

  #retransmitLimit = RETRANSMIT_ALWAYS;
  constructor(deps: SenderDeps) {
    this.#deps = deps;
    this.beginRoute();
  }

  noteOurKind(): void {
    this.#retransmitLimit = RETRANSMIT_LISTED;
  }

  /** What is sent from now on for the first time goes by one route alone. */
  beginRoute(): void {
    this.#routeFirst = this.#deps.window.next;
    this.#isRouteConfirmed = false;
  }

  /** Whether something arrived that went by this route alone; says so once. */
  takeRouteConfirmed(): boolean {
    const isConfirmed = this.#isRouteConfirmed;
    this.#isRouteConfirmed = false;
    return isConfirmed;
  }

  /** Packets sent again, be it for a report of the peer or as probes. */
  get retransmissions(): number {
    return this.#retransmissions;
  }

  /** Whether several probes, sent over more than half a second, brought no word of the peer. */
  get isUnanswered(): boolean {
    return this.#deps.window.hasUnconfirmed && this.#probes >= MAX_UNANSWERED_PROBES;
  }

  /** Takes a lossless packet, or not. @param isUrgent may exceed the bound by a little */
  enqueue(data: Buffer, isUrgent: boolean): boolean {
    const { window } = this.#deps;
    const bound = this.#queueBound + (isUrgent ? URGENT_RESERVE : 0);
    const hasRoom = !window.isFull && (window.hasMemory || isUrgent);
    if (!hasRoom || (window.hasUnsent && window.unsentBytes + data.length > bound)) {
      this.#isRefusing = true;
      return false;
    }
    window.push(data);
    return true;
  }

  /** Whether there is room again after a refusal; says so once. */
  takeDrain(): boolean {
    if (!this.#isRefusing || this.#deps.window.isFull || !this.#deps.window.hasMemory) return false;
    if (this.#deps.window.unsentBytes > this.#queueBound / 2) return false;
    this.#isRefusing = false;
    return true;
  }

  get #queueBound(): number {
    const { congestion, rtt } = this.#deps;
    const least = rtt.isKnown ? MIN_QUEUE : FIRST_QUEUE;
    return Math.min(MAX_QUEUE, Math.max(least, congestion.pacingRate * QUEUE_SPAN));
  }

  /** Any data packet was sealed: transmissions that the peer may not have heard of are counted. */
  onSealed(): void {
    this.#unacknowledged += 1;
  }

  /** Whether a packet that nobody confirms may go: not after thousands of which nothing was heard. */
  get maySendLossy(): boolean {
    return this.#unacknowledged < MAX_UNACKNOWLEDGED;
  }

  /**
   * A packet of the peer came.
   * @param bufferStart all lossless packets before it arrived
   * @param request the request packet that it is, if it is one
   */
  onAck(bufferStart: number, request: Buffer | undefined, now: number): void {
    const { window, rtt, congestion } = this.#deps;
    if (!window.hasUnconfirmed) {
      this.#unacknowledged = 0;
      return;
    }
    if (request === undefined && bufferStart === window.start) return;
    if (rtt.isKnown && now >= this.#probeAt && this.#silenceEndedAt === Number.NEGATIVE_INFINITY)
      this.#silenceEndedAt = now;
    const sample = window.beginAck(now, congestion.measurement, rtt.isKnown ? rtt.min : 0);
    window.acknowledge(bufferStart);
    // A list counts from the start that came with it: one that was overtaken by a newer one would speak of other packets.
    if (request !== undefined && window.start === bufferStart) {
      if (this.#mayRead(request, now)) window.readRequest(request, this.#reorderingWindow);
    }
    if (sample.reorderedPackets > 0) this.#reorderingSteps += 1;
    if (sample.ackedBytes > 0) {
      this.#unacknowledged = 0;
      this.#noteRouteConfirmed(sample.number);
      this.#measure(sample, now);
    }
    if (sample.ackedBytes > 0 || request !== undefined) {
      this.#ackedAt = now;
      this.#probes = 0;
    }
    if (sample.ackedBytes === 0 && sample.lostBytes === 0) return;
    this.#learn(sample, now);
  }

  /**
   * What was sent before the peer fell silent, and is confirmed afterwards, tells how long the silence was: as little of the path as
   * what was sent twice (Karn). What was sent after it counts, however long it took, for the path may have become longer.
   */
  #measure(sample: AckSample, now: number): void {
    if (sample.sentAt < this.#silenceEndedAt) sample.isAmbiguous = true;
    if (sample.isAmbiguous) return;
    this.#silenceEndedAt = Number.NEGATIVE_INFINITY;
    this.#deps.rtt.add(now - sample.sentAt, now);
  }

  #noteRouteConfirmed(number: number): void {
    if (distanceBetween(this.#routeFirst, number) > MAX_IN_FLIGHT_NUMBERS) return;
    // Moves along, so that it stays within reach when numbers wrap.
    this.#routeFirst = number;
    this.#isRouteConfirmed = true;
  }

  #learn(sample: AckSample, now: number): void {
    const { window, congestion, packetSize } = this.#deps;
    congestion.onAck(sample, window.inFlightBytes, now);
    if (packetSize()?.review(sample, now, (number) => window.fateOf(number))) this.onPathLost();
  }

  /** A list costs time for each number that it speaks of, and what it says the next one says as well. */
  #mayRead(request: Buffer, now: number): boolean {
    const { start, next } = this.#deps.window;
    const span = Math.min(distanceBetween(start, next), (request.length - 1) * LONGEST_RUN);
    return this.#listTokens.take(now, span);
  }

  get #reorderingWindow(): ReorderingWindow {
    const { rtt } = this.#deps;
    const { recent, min } = rtt;
    const reordering = Math.min(rtt.smoothed, this.#reorderingSteps * min * REORDERING_STEP);
    const longest = Math.max(recent, 2 * BURST_INTERVAL) * MAX_REORDERING_WINDOW + reordering;
    return { rtt: rtt.latest, longest, reordering };
  }

  /** What the last list had as missing has not come since. */
  #detectLost(now: number): void {
    const { window, congestion, rtt } = this.#deps;
    if (window.lossDueAt > now) return;
    const sample = window.beginAck(now, congestion.measurement, rtt.min);
    window.detectLost();
    if (sample.lostBytes > 0) this.#learn(sample, now);
  }

  /** The way that packets took is gone, and they with it. */
  onPathLost(): void {
    this.#isProbeUrgent = true;
    this.#deps.congestion.onPathLost(this.#deps.window.inFlightBytes);
  }

  /** Sends what may go now. */
  pump(now: number): void {
    this.#detectLost(now);
    this.#probe(now);
    this.#refill(now);
    const isSilent = this.#hasTimedOut(now);
    this.#probePacketSize(isSilent, now);
    for (let count = 0; count < MAX_PACKETS_PER_TICK; count += 1) {
      const number = this.#nextToSend(isSilent);
      this.#isPaced = number !== undefined;
      if (number === undefined || this.#budget <= 0) return;
      this.#send(number, now);
    }
  }

  /** The turn is over, and what was asked for more has given it: where nothing waits, it is for want of data. */
  onTickEnd(now: number): void {
    const { window, congestion, isBlocked } = this.#deps;
    if (window.hasUnsent || window.nextLost() !== undefined || window.inFlightBytes >= congestion.congestionWindow)
      return;
    if (!isBlocked(0) && !this.#hasTimedOut(now)) window.markAppLimited();
  }

  /** When much waits, the next packets find out what the path takes; they go in one turn, whatever the pace. */
  #probePacketSize(isSilent: boolean, now: number): void {
    const { window } = this.#deps;
    const packetSize = this.#deps.packetSize();
    const count = packetSize?.probesDue(now) ?? 0;
    if (count === 0 || window.unsent < Math.max(count, WORTH_PROBING)) return;
    if (this.#budget <= 0 || this.#nextToSend(isSilent) !== window.next) return;
    if (this.#deps.isBlocked(count * MAX_CRYPTO_DATA_SIZE)) return;
    for (let offset = 0; offset < count; offset += 1) {
      if (window.dataOf(addToNumber(window.next, offset)).length > SAFE_CRYPTO_DATA_SIZE) return;
    }
    packetSize?.probe(now, (size) => {
      const number = window.next;
      this.#send(number, now, size);
      return number;
    });
  }

  #nextToSend(isSilent: boolean): number | undefined {
    if (isSilent || this.#unacknowledged >= MAX_UNACKNOWLEDGED) return undefined;
    const number = this.#nextInWindow;
    return number === undefined || this.#deps.isBlocked(this.#deps.window.dataOf(number).length) ? undefined : number;
  }

  get #nextInWindow(): number | undefined {
    const { window, congestion } = this.#deps;
    // What the peer waits for goes in any case: it may have all that we count as in flight, and cannot say so for the hole.
    if (window.inFlightBytes >= congestion.congestionWindow)
      return window.firstLost(RETRANSMIT_ALWAYS) ?? window.nextLost(this.#retransmitLimit);
    return window.nextLost() ?? (window.mayAdvance ? window.next : undefined);
  }

  /** Whether packets may go that did not for the length of this turn. */
  get isBehind(): boolean {
    return this.#isPaced && this.#budget > 0;
  }

  #send(number: number, now: number, paddedSize?: number): void {
    const { window } = this.#deps;
    const data = window.dataOf(number);
    if (!window.hasUnconfirmed) {
      this.#ackedAt = now;
      this.#probes = 0;
    }
    const size = data.length + WIRE_OVERHEAD;
    const isNew = number === window.next;
    if (!isNew) this.#retransmissions += 1;
    window.onSent(number, now);
    this.#budget -= size;
    if (isNew) this.#deps.transmit(number, data, paddedSize);
    else this.#retransmit(number, data, now);
  }

  #retransmit(number: number, data: Buffer, now: number): void {
    const packetSize = this.#deps.packetSize();
    const transmit = (): void => this.#deps.transmit(number, data);
    if (packetSize === undefined) transmit();
    else packetSize.resend({ number, size: data.length }, now, transmit);
  }

  #refill(now: number): void {
    const { pacingRate: rate } = this.#deps.congestion;
    if (this.#deps.pacesItself()) {
      this.#budget = Number.MAX_SAFE_INTEGER;
      this.#budgetAt = now;
      return;
    }
    const most = Math.min(MAX_BURST, Math.max(MIN_BURST, rate * BURST_SPAN));
    this.#budget = Math.min(most, this.#budget + rate * (now - this.#budgetAt));
    this.#budgetAt = now;
  }

  /** Whether much is in flight of which nothing was heard for too long. */
  #hasTimedOut(now: number): boolean {
    const { window, rtt } = this.#deps;
    if (window.inFlightBytes < PEER_TIMEOUT_BYTES) return false;
    return now - this.#ackedAt >= Math.max(PEER_TIMEOUT, 2 * rtt.recent + 4 * rtt.variation);
  }

  /** When the next probe is due; Infinity while nothing is in flight. */
  get #probeAt(): number {
    const { window, rtt } = this.#deps;
    if (!window.hasUnconfirmed) return Number.POSITIVE_INFINITY;
    if (this.#isProbeUrgent) return Number.NEGATIVE_INFINITY;
    const first = 2 * rtt.smoothed + 2 * rtt.variation + PROBE_SLACK;
    return this.#ackedAt + first + this.#probes * Math.max(PROBE_INTERVAL, rtt.smoothed);
  }

  /**
   * The peer said nothing for so long that a packet at the end must have been lost, or the word about it: sends the first
   * one again, which moves the peer's window, and tells how much there is, which makes it list what else is missing.
   */
  #probe(now: number): void {
    const { window } = this.#deps;
    if (now < this.#probeAt) return;
    this.#isProbeUrgent = false;
    this.#probes += 1;
    const number = window.firstUndelivered();
    if (number !== undefined && this.#unacknowledged < MAX_UNACKNOWLEDGED + MAX_PROBES) {
      this.#retransmissions += 1;
      window.onSent(number, now);
      this.#retransmit(number, window.dataOf(number), now);
    }
    this.#deps.advertise();
  }

  /** When `pump` should be called next at the latest, in ms of the clock; Infinity when only events matter. */
  wakeAt(now: number): number {
    const rate = this.#deps.congestion.pacingRate;
    const paced = this.#isPaced ? now + Math.max(BURST_INTERVAL, -this.#budget / rate) : Number.POSITIVE_INFINITY;
    return Math.min(paced, this.#probeAt, this.#deps.window.lossDueAt);
  }
}
