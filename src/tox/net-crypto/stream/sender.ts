/**
 * The sending half of a connection: takes packets, sends them as congestion control allows, retransmits lost ones and probes when
 * the peer falls silent. Pure except for `transmit`: the connection calls it with the time and asks when to call next.
 */
import { TokenBucket } from '../../../base/token-bucket.js';
import { CryptoKind } from '../../packet/kind.js';
import { checkCryptoData, EXTENDED_CRYPTO_DATA_SIZE, WIRE_OVERHEAD } from '../../packet/net-crypto.js';
import { decodeArrival, LONGEST_RUN } from '../../packet/net-crypto-request.js';
import { addToNumber, distanceBetween, MAX_IN_FLIGHT_NUMBERS } from '../../packet/packet-number.js';
import type { AckSample } from '../congestion/ack-sample.js';
import type { Congestion } from '../congestion/congestion.js';
import { Pacer } from '../congestion/pacer.js';
import type { Rtt } from '../congestion/rtt.js';
import type { PacketSize } from '../path/packet-size.js';
import { AckTime } from './ack-time.js';
import type { Features } from './features.js';
import { ACK_DELAY, probeTimeout, Reordering } from './reordering.js';
import type { SendWindow } from './send-window.js';

/** Length of the queue of unsent packets, in ms at the pacing rate; interactive tunnels wait behind it. */
const QUEUE_SPAN = 5;
/** Least queue in bytes; it is refilled when half is sent, which takes no longer than a tick of the event loop. */
const MIN_QUEUE = 16 * 1024;
/** Queue in bytes while no round trip is known, and perhaps no session. */
const FIRST_QUEUE = 64 * 1024;
const MAX_QUEUE = 1024 * 1024;
/** Bytes beyond the bound for our own few packets (ALIVE, ONLINE), which cannot wait. */
const URGENT_RESERVE = 64 * 1024;

/** Packets in one tick of the event loop, about half a ms; then arriving packets are handled. */
const MAX_PACKETS_PER_TICK = 64;
/** Unsent packets from which larger packet sizes are worth probing. */
const WORTH_PROBING = 8;
/** Packets from the first one that are retransmitted although the window is full; our own lists hold 1,100 missing packets, and those that seem in flight behind are gone. */
const RETRANSMIT_ALWAYS = 64;
const RETRANSMIT_LISTED = 2048;
/** ms without an ack for packets in flight after which nothing new is sent: the peer is blocked, or gone. */
const PEER_TIMEOUT = 300;
/** Bytes in flight from which a missing ack counts as silence; c-toxcore acknowledges few small packets only each second. */
const PEER_TIMEOUT_BYTES = 16 * 1428;
/** ms between the probes to a silent peer. */
const PROBE_INTERVAL = 250;
/** Unanswered probes after which the path is suspect, half a second after the first one. */
const MAX_UNANSWERED_PROBES = 3;
/** After 21,845 lost transmissions in a row the peer never recovers the nonce; sending stops well before. */
const MAX_UNACKNOWLEDGED = MAX_IN_FLIGHT_NUMBERS;
/** Probes beyond that; at 4 a second they last 17 minutes, when every other layer has given up. */
const MAX_PROBES = 4096;

/**
 * Numbers covered by lists that are read a second, and at once; each costs about 6 ns. Our own receiver sends half of that
 * (ack-schedule), c-toxcore's a tenth; a peer that repeats its lists endlessly cannot make us read more.
 */
const NUMBERS_READ_PER_SECOND = 2_000_000;
const NUMBERS_READ_AT_ONCE = 4 * MAX_IN_FLIGHT_NUMBERS;

interface SenderDeps {
  readonly window: SendWindow;
  readonly congestion: Pick<Congestion, 'congestionWindow' | 'pacingRate' | 'measurement' | 'onAck' | 'onPathLost'>;
  readonly rtt: Rtt;
  readonly features: Pick<Features, 'isOurKind'>;
  /** Seals and sends one packet. @param size bytes up to which it is padded */
  transmit(number: number, data: Buffer, size?: number): void;
  /** Returns the packet size of the path in use; undefined where all sizes pass. */
  packetSize(): PacketSize | undefined;
  /** Sends a request packet, which tells the peer how much was sent. */
  advertise(): void;
  readonly path: {
    /** Whether a packet sent now would be lost for lack of room. @param size bytes of its data */
    isBusy(size: number): boolean;
    /** Whether the route reports when it is full, so it sets the pace, and packets sent early are not lost. */
    readonly pacesItself: boolean;
  };
}

export class Sender {
  readonly #deps: SenderDeps;
  readonly #listTokens = new TokenBucket(NUMBERS_READ_PER_SECOND, NUMBERS_READ_AT_ONCE, 0);
  readonly #pacer = new Pacer();
  readonly #reordering = new Reordering();
  readonly #ackTime: AckTime;
  #isPaced = false;
  #isRefusing = false;
  /** When the peer last acknowledged something, or we began to wait for it. */
  #ackedAt = 0;
  /** When a lossless packet was sent last. */
  #sentAt = 0;
  #probes = 0;
  #unacknowledged = 0;
  #retransmissions = 0;
  /** When the last silence of the peer ended; -Infinity once a round trip that began later was measured. */
  #silenceEndedAt = Number.NEGATIVE_INFINITY;
  /** The first number of which all transmissions went by the route in use. */
  #routeFirst = 0;
  #isRouteConfirmed = false;
  /** Whether a probe is due at once. */
  #isProbeUrgent = false;

  constructor(deps: SenderDeps) {
    this.#deps = deps;
    this.#ackTime = new AckTime(deps.rtt);
    this.beginRoute();
  }

  /** Packets sent for the first time from now on take one route only. */
  beginRoute(): void {
    this.#routeFirst = this.#deps.window.next;
    this.#isRouteConfirmed = false;
  }

  /** Whether a packet that took only this route has arrived; true once. */
  takeRouteConfirmed(): boolean {
    const isConfirmed = this.#isRouteConfirmed;
    this.#isRouteConfirmed = false;
    return isConfirmed;
  }

  /** Retransmitted packets, including probes. */
  get retransmissions(): number {
    return this.#retransmissions;
  }

  /** Whether several probes over more than half a second had no answer. */
  get isUnanswered(): boolean {
    return this.#deps.window.hasUnacked && this.#probes >= MAX_UNANSWERED_PROBES;
  }

  /** Queues a lossless packet, or returns false. @param isUrgent whether it may exceed the bound a little @throws RangeError for other data */
  enqueue(data: Buffer, isUrgent: boolean): boolean {
    checkCryptoData(data, CryptoKind.FirstLossless, CryptoKind.LastLossless);
    const { window } = this.#deps;
    const bound = this.#queueBound + (isUrgent ? URGENT_RESERVE : 0);
    const hasRoom = !window.isFull && (window.hasMemory || isUrgent);
    if (!hasRoom || (window.unsent > 0 && window.unsentBytes + data.length > bound)) {
      this.#isRefusing = true;
      return false;
    }
    window.push(data);
    return true;
  }

  /** Whether there is room again after a refusal; true once. */
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

  /**
   * A data packet was sealed: counts transmissions that the peer may not have received.
   * @param beside wire bytes of a lossy packet that shares the path with packets that wait
   */
  onSealed(beside = 0): void {
    this.#unacknowledged += 1;
    this.#pacer.onSent(beside);
  }

  /** Whether a lossy packet may be sent: not after thousands of unacknowledged transmissions. */
  get maySendLossy(): boolean {
    return this.#unacknowledged < MAX_UNACKNOWLEDGED;
  }

  /**
   * A packet of the peer arrived.
   * @param bufferStart number before which all lossless packets have arrived
   * @param request the request packet that it is, if it is one
   */
  onAck(bufferStart: number, request: Buffer | undefined, now: number): void {
    const { window, rtt, congestion, features } = this.#deps;
    const delay = request === undefined ? 0 : this.#ackTime.onRequest(decodeArrival(request), now);
    if (!window.hasUnacked) {
      this.#unacknowledged = 0;
      return;
    }
    if (request === undefined && (bufferStart === window.start || this.#ackTime.isDelayed)) return;
    if (rtt.isKnown && now >= this.#silentAt && this.#silenceEndedAt === Number.NEGATIVE_INFINITY)
      this.#silenceEndedAt = now;
    const sample = window.beginAck(now, congestion.measurement, rtt.measuredMin, delay);
    window.acknowledge(bufferStart);
    // A list counts from the start in its packet: a list overtaken by a newer one would describe other packets.
    if (request !== undefined && window.start === bufferStart) {
      if (this.#mayRead(request, now)) window.readRequest(request, this.#reordering.window(rtt, features.isOurKind));
    }
    if (sample.ackedBytes > 0) {
      this.#unacknowledged = 0;
      this.#noteRouteConfirmed(sample.number);
      this.#measure(sample, now);
      if (request !== undefined && !sample.isAmbiguous) this.#ackTime.onDelivered(sample.sentAt, now);
    }
    if (sample.ackedBytes > 0 || request !== undefined) {
      this.#ackedAt = now;
      this.#probes = 0;
    }
    if (sample.ackedBytes === 0 && sample.lostBytes === 0) return;
    this.#processSample(sample, now);
  }

  /**
   * A packet sent before the peer fell silent and acknowledged afterwards measures the silence, not the path, like a packet sent
   * twice (Karn). One sent after the silence counts, however long it took, since the path may have become longer.
   */
  #measure(sample: AckSample, now: number): void {
    if (sample.sentAt < this.#silenceEndedAt) sample.isAmbiguous = true;
    if (sample.isAmbiguous) return;
    this.#silenceEndedAt = Number.NEGATIVE_INFINITY;
    this.#deps.rtt.add(now - sample.sentAt, now);
  }

  #noteRouteConfirmed(number: number): void {
    if (distanceBetween(this.#routeFirst, number) > MAX_IN_FLIGHT_NUMBERS) return;
    // Advances, so that it stays within reach when numbers wrap.
    this.#routeFirst = number;
    this.#isRouteConfirmed = true;
  }

  #processSample(sample: AckSample, now: number): void {
    const { window, congestion, packetSize } = this.#deps;
    this.#reordering.onAck(sample, now);
    congestion.onAck(sample, window.inFlightBytes, now, window.ackDelay);
    if (packetSize()?.review(sample, now, (number) => window.fateOf(number))) this.onPathLost();
  }

  /** Whether a list may be read: it costs time for each number it covers, and the next list repeats it. */
  #mayRead(request: Buffer, now: number): boolean {
    const { start, next } = this.#deps.window;
    const span = Math.min(distanceBetween(start, next), (request.length - 1) * LONGEST_RUN);
    return this.#listTokens.take(now, span);
  }

  /** Declares packets lost that the last list reported missing and that have not arrived since. */
  #detectLost(now: number): void {
    const { window, congestion, rtt } = this.#deps;
    if (window.lossDueAt > now) return;
    const sample = window.beginAck(now, congestion.measurement, rtt.min);
    window.detectLost();
    if (sample.lostBytes > 0) this.#processSample(sample, now);
  }

  /** The path is lost, with all packets in flight on it. */
  onPathLost(): void {
    this.#isProbeUrgent = true;
    this.#deps.congestion.onPathLost(this.#deps.window.inFlightBytes);
  }

  /** Sends what may be sent now. */
  pump(now: number): void {
    this.#detectLost(now);
    this.#probe(now);
    if (this.#deps.path.pacesItself) this.#pacer.lift(now);
    else this.#pacer.refill(this.#deps.congestion.pacingRate, now);
    const isSilent = this.#hasTimedOut(now);
    this.#probePacketSize(isSilent, now);
    for (let count = 0; count < MAX_PACKETS_PER_TICK; count += 1) {
      const number = this.#nextToSend(isSilent);
      this.#isPaced = number !== undefined;
      if (number === undefined || !this.#pacer.maySend) return;
      this.#send(number, now);
    }
  }

  /** The tick is over, and data that was asked for is queued: if nothing waits now, the sender is app-limited. */
  onTickEnd(now: number): void {
    const { window, congestion, path } = this.#deps;
    if (window.unsent > 0 || window.nextLost() !== undefined || window.inFlightBytes >= congestion.congestionWindow)
      return;
    if (!path.isBusy(0) && !this.#hasTimedOut(now)) window.markAppLimited();
  }

  /** When much data waits, the next packets probe the packet size; they are sent in one tick, whatever the pace. */
  #probePacketSize(isSilent: boolean, now: number): void {
    const { window } = this.#deps;
    const packetSize = this.#deps.packetSize();
    if (packetSize === undefined) return;
    const count = packetSize.probesDue(now);
    if (count === 0 || window.unsent < Math.max(count, WORTH_PROBING)) return;
    if (!this.#pacer.maySend || this.#nextToSend(isSilent) !== window.next) return;
    if (this.#deps.path.isBusy(count * EXTENDED_CRYPTO_DATA_SIZE)) return;
    for (let offset = 0; offset < count; offset += 1) {
      if (window.dataOf(addToNumber(window.next, offset)).length > packetSize.size) return;
    }
    packetSize.probe(now, (size) => {
      const number = window.next;
      this.#send(number, now, size);
      return number;
    });
  }

  #nextToSend(isSilent: boolean): number | undefined {
    if (isSilent || this.#unacknowledged >= MAX_UNACKNOWLEDGED) return undefined;
    const number = this.#nextInWindow;
    return number === undefined || this.#deps.path.isBusy(this.#deps.window.dataOf(number).length) ? undefined : number;
  }

  get #nextInWindow(): number | undefined {
    const { window, congestion, features } = this.#deps;
    // The packet that the peer waits for is always sent: the rest may have arrived, which the peer cannot report past the hole.
    if (window.inFlightBytes >= congestion.congestionWindow) {
      return window.firstLost(features.isOurKind ? RETRANSMIT_LISTED : RETRANSMIT_ALWAYS);
    }
    return window.nextLost() ?? (window.mayAdvance ? window.next : undefined);
  }

  /** Whether packets remain that were held back only by the length of the tick. */
  get isBehind(): boolean {
    return this.#isPaced && this.#pacer.maySend;
  }

  #send(number: number, now: number, paddedSize?: number): void {
    const { window } = this.#deps;
    const data = window.dataOf(number);
    if (!window.hasUnacked) {
      this.#ackedAt = now;
      this.#probes = 0;
    }
    const isNew = number === window.next;
    if (!isNew) this.#retransmissions += 1;
    this.#sentAt = now;
    window.onSent(number, now);
    this.#pacer.onSent(data.length + WIRE_OVERHEAD);
    if (isNew) this.#deps.transmit(number, data, paddedSize);
    else this.#retransmit(number, data, now);
  }

  #retransmit(number: number, data: Buffer, now: number): void {
    const packetSize = this.#deps.packetSize();
    const transmit = (): void => this.#deps.transmit(number, data);
    if (packetSize === undefined) transmit();
    else packetSize.resend({ number, size: data.length }, now, transmit);
  }

  /** Whether much is in flight and no ack has arrived for too long. */
  #hasTimedOut(now: number): boolean {
    const { window, rtt } = this.#deps;
    if (window.inFlightBytes < PEER_TIMEOUT_BYTES) return false;
    return now - this.#ackedAt >= Math.max(PEER_TIMEOUT, 2 * rtt.recent + 4 * rtt.variation);
  }

  /** When the peer counts as silent; Infinity while nothing is in flight. */
  get #silentAt(): number {
    const { window, rtt } = this.#deps;
    if (!window.hasUnacked) return Number.POSITIVE_INFINITY;
    return this.#ackedAt + 2 * rtt.smoothed + 2 * rtt.variation + ACK_DELAY + this.#backoff;
  }

  get #backoff(): number {
    return this.#probes * Math.max(PROBE_INTERVAL, this.#deps.rtt.smoothed);
  }

  /** When the next probe is due; Infinity while nothing is in flight. */
  get #probeAt(): number {
    const silentAt = this.#silentAt;
    if (silentAt === Number.POSITIVE_INFINITY) return silentAt;
    if (this.#isProbeUrgent) return Number.NEGATIVE_INFINITY;
    // RFC 9002, 6.2.1: a packet that the peer reports missing is sent again when it counts as lost. Sent before, it never would be.
    if (!this.#deps.features.isOurKind || this.#deps.window.lossDueAt < Number.POSITIVE_INFINITY) return silentAt;
    // Acks that still arrive may say more.
    const timeout = Math.max(this.#sentAt + probeTimeout(this.#deps.rtt), this.#ackedAt + ACK_DELAY);
    return Math.min(silentAt, timeout + this.#backoff);
  }

  /**
   * Tail loss probe: no ack has come for so long that the last packet or its ack must be lost. Retransmits the first packet,
   * which advances the peer's window, and advertises how much was sent, so that the peer lists what else is missing.
   */
  #probe(now: number): void {
    const { window } = this.#deps;
    if (now < this.#probeAt) return;
    this.#isProbeUrgent = false;
    this.#probes += 1;
    const number = window.firstUndelivered();
    if (number !== undefined && this.#unacknowledged < MAX_UNACKNOWLEDGED + MAX_PROBES) {
      this.#retransmissions += 1;
      this.#sentAt = now;
      window.onSent(number, now);
      this.#retransmit(number, window.dataOf(number), now);
    }
    this.#deps.advertise();
  }

  /** Returns when `pump` must be called next at the latest, ms of the clock; Infinity if only events matter. */
  wakeAt(now: number): number {
    const pause = this.#isPaced ? this.#pacer.pause(this.#deps.congestion.pacingRate) : Number.POSITIVE_INFINITY;
    return Math.min(now + pause, this.#probeAt, this.#deps.window.lossDueAt);
  }
}
