/**
 * How much to send, in the manner of BBR (Cardwell et al., "BBR: Congestion-Based Congestion Control", and its drafts): the
 * model is the delivery rate of the path and its round trip, not loss, which on radio and in a polled peer's socket says
 * little. Heavy loss, which says that a buffer overflows, bounds what is in flight until rounds go by without it.
 *
 * A c-toxcore peer reads its socket every 50 ms and confirms every 50 to 100 ms. Its smallest round trip is therefore far
 * below the usual one, and the time between its acks takes the place of the round trip where it is longer.
 *
 * Pure: events and the time go in; a window in bytes and a rate in bytes a ms come out.
 */

import { MAX_CRYPTO_DATA_SIZE } from '../packet/net-crypto.js';
import type { AckSample } from './ack-sample.js';
import { MaxFilter } from './max-filter.js';
import type { Rtt } from './rtt.js';
import { MAX_IN_FLIGHT_NUMBERS, WIRE_OVERHEAD } from './send-window.js';

const PACKET = MAX_CRYPTO_DATA_SIZE + WIRE_OVERHEAD;

/** Implementation: what goes out before anything is known. c-toxcore's own first burst (CRYPTO_MIN_QUEUE_LENGTH). */
const FIRST_WINDOW = 64 * PACKET;
/** Implementation: the first burst's time in ms: half of the 128 packets that a polled socket takes in 50 ms. */
const FIRST_SPREAD = 25;
const MIN_WINDOW = 4 * PACKET;
/** Implementation: bytes in flight at the most; as many full packets as numbers. */
const MAX_WINDOW = MAX_IN_FLIGHT_NUMBERS * PACKET;

/** BBR: 2/ln 2 doubles the rate each round. */
const STARTUP_GAIN = 2.885;
/** Implementation: BBR has 2; what the gain spares, interactive packets do not wait behind. */
const WINDOW_GAIN = 1.5;
/** Implementation: packets that arrived, but of which a request packet does not speak, count as in flight: some at any time. */
const WINDOW_SLACK = 16 * PACKET;
/** BBR: a probe for more, the same less to drain what the probe queued, then six periods of what was found. */
const CYCLE = [1.25, 0.75, 1, 1, 1, 1, 1, 1] as const;
/** BBR: the pipe is full when three rounds brought less than a quarter more. */
const FULL_GROWTH = 1.25;
const FULL_ROUNDS = 3;
/** Implementation: ms of a period at the least; on a path of microseconds a period would hold too few packets to measure. */
const MIN_PERIOD = 2;
/** Implementation: ms over which the delivery rate is measured at the least; below, it measures the event loop. */
const MIN_MEASUREMENT = 8;
const MEASURED_ROUNDS = 2;
/** Implementation: ms of a round at the least, in which the delivery rate can be measured once or twice. */
const MIN_ROUND = 10;
/** Implementation: ms; longer silences are the peer's, not the path's. c-toxcore confirms every 100 ms at the latest. */
const MAX_ACK_GAP = 100;
/** Implementation: ms over which the gap is averaged, and by how much the longest may exceed the average. */
const ACK_GAP_MEMORY = 200;
const ACK_GAP_MARGIN = 1.5;
/** Implementation: loss in a round that stands for an overflowing buffer. 5 % of random loss seldom reach it. */
const OVERFLOW_LOSS = 0.1;
const OVERFLOW_PACKETS = 8;
/** Implementation: what a round without overflow adds to the bound that an overflow set. */
const RECOVERY_GROWTH = 1 / 24;
/** Implementation: rounds in which the losses of a way that broke become known. */
const FORGIVING_ROUNDS = 2;

type Mode = 'startup' | 'drain' | 'cruise';

export class Congestion {
  readonly #rtt: Rtt;
  #mode: Mode = 'startup';
  readonly #bandwidth = new MaxFilter();
  /** Average ms between acks, as a random moment sees it: one long pause counts for its length, not for more. */
  #ackGap = 0;
  /** Undefined while nothing is in flight. */
  #lastAckAt: number | undefined;
  #roundEnd = 0;
  #roundStartedAt = 0;
  #roundAcked = 0;
  #roundLost = 0;
  #roundLostPackets = 0;
  #roundMostInFlight = 0;
  #fullBandwidth = 0;
  #fullRounds = 0;
  #phase = 2;
  #phaseStartedAt = 0;
  #overflowBound = Number.POSITIVE_INFINITY;
  /** Bytes whose loss says nothing, and for how many rounds more. */
  #forgiven = 0;
  #forgivingRounds = 0;

  constructor(rtt: Rtt) {
    this.#rtt = rtt;
  }

  /** Bytes that may be in flight. */
  get window(): number {
    const bandwidth = this.#bandwidth.max;
    if (bandwidth === 0) return FIRST_WINDOW;
    const gain = this.#mode === 'startup' ? STARTUP_GAIN : WINDOW_GAIN;
    const wanted = gain * bandwidth * this.#horizon + WINDOW_SLACK;
    const least = this.#mode === 'startup' ? FIRST_WINDOW : MIN_WINDOW;
    return Math.min(MAX_WINDOW, this.#overflowBound, Math.max(least, wanted));
  }

  /** Bytes a ms at which to send. */
  get rate(): number {
    const bandwidth = this.#bandwidth.max;
    const first = FIRST_WINDOW / Math.max(FIRST_SPREAD, this.#rtt.isKnown ? this.#rtt.min : 0);
    if (bandwidth === 0) return first;
    if (this.#mode === 'startup') return Math.max(first, bandwidth * STARTUP_GAIN);
    return this.#mode === 'drain' ? bandwidth / STARTUP_GAIN : bandwidth * (CYCLE[this.#phase] as number);
  }

  /** Bytes a ms that the path was seen to deliver; 0 before that is known. */
  get deliveryRate(): number {
    return this.#bandwidth.max;
  }

  /**
   * ms over which to measure the delivery rate, besides the round trip. A request packet does not speak of what came after
   * the last missing packet; when that one comes, much is confirmed at once, which a short measurement takes for speed.
   */
  get measurement(): number {
    return this.#mode === 'startup' ? MIN_MEASUREMENT : Math.max(MIN_MEASUREMENT, this.#rtt.smoothed * MEASURED_ROUNDS);
  }

  get mode(): Mode {
    return this.#mode;
  }

  /** ms that an answer may take by the peer's habits: the round trip, or its pause between acks. */
  get #horizon(): number {
    return Math.max(this.#rtt.min, this.#ackGap * ACK_GAP_MARGIN, MIN_PERIOD);
  }

  /** Acks came, or losses became known. @param inFlight bytes still in flight after them */
  onAck(sample: AckSample, inFlight: number, now: number): void {
    this.#noteLoss(sample);
    this.#roundMostInFlight = Math.max(this.#roundMostInFlight, inFlight + sample.ackedBytes + sample.lostBytes);
    if (sample.ackedBytes === 0) return;
    this.#roundAcked += sample.ackedBytes;
    this.#measureAckGap(sample, inFlight, now);
    const rate = sample.deliveryRate(now);
    if (rate !== undefined && (!sample.isAppLimited || rate > this.#bandwidth.max)) this.#bandwidth.add(rate);
    if (sample.roundDelivered >= this.#roundEnd && now - this.#roundStartedAt >= MIN_ROUND) {
      this.#endRound(sample, now);
      this.#roundEnd = sample.delivered;
    }
    this.#advance(inFlight, now);
  }

  /** The way broke: what is lost of it now did not overflow anything. @param inFlight bytes that went there */
  forgive(inFlight: number): void {
    this.#forgiven = inFlight;
    this.#forgivingRounds = FORGIVING_ROUNDS;
  }

  #noteLoss({ lostBytes, lostPackets }: AckSample): void {
    if (lostBytes === 0) return;
    const forgiven = Math.min(this.#forgiven, lostBytes);
    this.#forgiven -= forgiven;
    this.#roundLost += lostBytes - forgiven;
    this.#roundLostPackets += Math.round(lostPackets * (1 - forgiven / lostBytes));
  }

  /**
   * A peer that confirms all at once leaves nothing in flight, and owes nothing until the next packet has reached it. Without
   * such gaps, a window that is too small for the peer's pauses would stay so for ever.
   */
  #measureAckGap(sample: AckSample, inFlight: number, now: number): void {
    const since = this.#lastAckAt ?? sample.priorDeliveredAt + this.#rtt.min;
    const gap = Math.min(MAX_ACK_GAP, Math.max(0, now - since));
    this.#ackGap += (gap - this.#ackGap) * Math.min(1, gap / ACK_GAP_MEMORY);
    this.#lastAckAt = inFlight > 0 ? now : undefined;
  }

  #endRound(sample: AckSample, now: number): void {
    const total = this.#roundAcked + this.#roundLost;
    const isOverflow =
      this.#roundLostPackets >= OVERFLOW_PACKETS && total > 0 && this.#roundLost / total > OVERFLOW_LOSS;
    if (isOverflow) {
      // What got through is what the buffer takes, whatever was in flight.
      const passed = this.#roundMostInFlight * (1 - this.#roundLost / total);
      const least = Math.max(MIN_WINDOW, this.#bandwidth.max * this.#rtt.min);
      this.#overflowBound = Math.max(least, Math.min(this.#overflowBound, passed));
    } else {
      this.#overflowBound *= 1 + RECOVERY_GROWTH;
      if (this.#overflowBound > MAX_WINDOW) this.#overflowBound = Number.POSITIVE_INFINITY;
    }
    if (this.#mode === 'startup' && !sample.isAppLimited) this.#lookWhetherFull(isOverflow, now);
    if (this.#forgivingRounds > 0) this.#forgivingRounds -= 1;
    else this.#forgiven = 0;
    this.#bandwidth.endRound(now - this.#roundStartedAt);
    this.#roundStartedAt = now;
    this.#roundAcked = 0;
    this.#roundLost = 0;
    this.#roundLostPackets = 0;
    this.#roundMostInFlight = 0;
  }

  #lookWhetherFull(isOverflow: boolean, now: number): void {
    const bandwidth = this.#bandwidth.max;
    if (bandwidth >= this.#fullBandwidth * FULL_GROWTH) {
      this.#fullBandwidth = bandwidth;
      this.#fullRounds = 0;
    } else {
      this.#fullRounds += 1;
    }
    if (this.#fullRounds >= FULL_ROUNDS || isOverflow) this.#enter('drain', now);
  }

  #advance(inFlight: number, now: number): void {
    const elapsed = now - this.#phaseStartedAt;
    switch (this.#mode) {
      case 'startup':
        return;
      case 'drain':
        if (inFlight <= this.#bandwidth.max * this.#horizon || elapsed > 3 * this.#horizon) this.#enter('cruise', now);
        return;
      case 'cruise':
        if (elapsed > this.#horizon) this.#nextPhase(now);
    }
  }

  #enter(mode: Mode, now: number): void {
    this.#mode = mode;
    this.#phaseStartedAt = now;
    // Draining has left the queue empty: cruise first, probe later.
    this.#phase = 2;
  }

  #nextPhase(now: number): void {
    this.#phase = (this.#phase + 1) % CYCLE.length;
    this.#phaseStartedAt = now;
  }
}
