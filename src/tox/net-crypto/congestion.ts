/**
 * How much to send, in the manner of BBR (draft-ietf-ccwg-bbr): the model is the delivery rate of the path and its round trip,
 * not loss, which on radio and in a polled peer's socket says little. Losses count only together with a raised round trip, as
 * those of a queue that overflows; they bound what is in flight, and never below the product of rate and round trip.
 *
 * A c-toxcore peer reads its socket every 50 ms and confirms every 50 to 100 ms. Its smallest round trip is therefore far
 * below the usual one, and the time between its acks takes the place of the round trip where it is longer.
 *
 * Pure: events and the time go in; a window in bytes and a rate in bytes a ms come out.
 */

import { MAX_CRYPTO_DATA_SIZE } from '../packet/net-crypto.js';
import { AckGap } from './ack-gap.js';
import type { AckSample } from './ack-sample.js';
import { AverageLoss } from './average-loss.js';
import { CarefulResume, type SavedPath } from './careful-resume.js';
import { MaxFilter } from './max-filter.js';
import { Round } from './round.js';
import type { Rtt } from './rtt.js';
import { MAX_IN_FLIGHT_NUMBERS, WIRE_OVERHEAD } from './send-window.js';

const PACKET = MAX_CRYPTO_DATA_SIZE + WIRE_OVERHEAD;

/** What goes out before anything is known. c-toxcore's own first burst (CRYPTO_MIN_QUEUE_LENGTH). */
const FIRST_WINDOW = 64 * PACKET;
/** The first burst's time in ms for a polled peer: half of the 128 packets that its socket takes in 50 ms. */
const POLLED_FIRST_SPREAD = 25;
/** The same for others at the least, so that a socket's usual buffer holds what is not read yet. */
const FIRST_SPREAD = 4;
const MIN_WINDOW = 4 * PACKET;
/**
 * ms in which the smallest window goes out at the least, or a round trip where that is longer. When all that is
 * large gets lost, few bytes are delivered, and a rate measured by them would never find out that the path has become better.
 */
const LONGEST_SPREAD = 200;
/** Bytes in flight at the most; as many full packets as numbers. */
const MAX_WINDOW = MAX_IN_FLIGHT_NUMBERS * PACKET;

/** BBR: 2/ln 2 doubles the rate each round. */
const STARTUP_GAIN = 2.885;
/** BBR: products of rate and round trip in flight at the most. Pacing is what limits; this is for a path that became slower. */
const WINDOW_GAIN = 1.5;
/** The same for a polled peer, whose socket overflows for a packet more or less. */
const POLLED_WINDOW_GAIN = 1.5;
/** BBR: probing for more, and draining what the probe queued. */
const UP_GAIN = 1.25;
const DOWN_GAIN = 0.75;
/** Round trips after which a queue that does not go away is not ours, or the product is wrong. */
const LONGEST_DRAIN = 3;
/** BBR: round trips between two probes. */
const CRUISE_ROUNDS = 6;
/** Bytes in flight besides the product, for acks come in groups. */
const WINDOW_SLACK = 16 * PACKET;
/** BBR: the pipe is full when three rounds brought less than a quarter more; or two, when the round trip is raised as well. */
const FULL_GROWTH = 1.25;
const FULL_ROUNDS = 3;
const FULL_ROUNDS_RAISED = 2;
/** What a probe has to bring for start-up to begin anew, which doubles where probes add a quarter. */
const RESTART_GROWTH = 1.125;
/** A round trip counts as raised, hence a queue as built up, beyond this part of the smallest and so many ms more. */
const RAISED = 1.25;
const RAISED_MARGIN = 4;
/** ms of a period at the least; on a path of microseconds a period would hold too few packets to measure. */
const MIN_PERIOD = 2;
/** ms over which the delivery rate is measured at the least; below, it measures the event loop. */
const MIN_MEASUREMENT = 8;
/** ms of a round at the least, in which the delivery rate can be measured once or twice. */
const MIN_ROUND = 10;
/** By how much the longest gap between acks may exceed the average. */
const ACK_GAP_MARGIN = 1.5;
/** BBR: part and number of packets lost in a round that mean an overflow, when the round trip is raised. */
const OVERFLOW_LOSS = 0.02;
const OVERFLOW_PACKETS = 6;
/** BBR: products that its first version has in flight at the most. Round trips between two probes beside such a flow. */
const COMPETITOR_WINDOW_GAIN = 2;
const COMPETITOR_CRUISE_ROUNDS = 3;
/** The same where it is not raised, as behind a policer; chance does not bring that. */
const HEAVY_LOSS = 0.2;
const HEAVY_PACKETS = 16;
/** ms after a heavy loss for which a probe that succeeds is no reason to start up: a policer lets bursts through. */
const HEAVY_LOSS_MEMORY = 10_000;
/** Rounds with a raised round trip after which the smallest one is doubted, and ms between two such doubts. */
const RAISED_ROUNDS = 8;
const PROBE_RTT_INTERVAL = 5000;
/** BBR's ProbeRTT: part of the product in flight, so that no queue is ours, and ms of it at the least. */
const PROBE_RTT_GAIN = 0.5;
const PROBE_RTT_TIME = 50;
/** What a probe without an overflow adds to the bound that an overflow set. */
const BOUND_GROWTH = 1.25;
/** Loss in a round of a polled peer that means an overflow of its socket, which no round trip tells. */
const POLLED_LOSS = 0.1;
const POLLED_PACKETS = 8;
/** What a round of a polled peer without an overflow adds to the bound. */
const POLLED_BOUND_GROWTH = 1 / 24;
/** Smoothed round trips over which a polled peer's delivery rate is measured. */
const POLLED_MEASUREMENT = 2;
/** Rounds in which packets that were taken for lost are found to have arrived. */
const UNDO_ROUNDS = 3;
/** Rounds in which the losses of a way that broke become known. */
const PATH_LOSS_ROUNDS = 2;

/** BBR's Startup, Drain, ProbeBW_DOWN, ProbeBW_CRUISE, ProbeBW_UP and ProbeRTT. */
type Mode = 'startup' | 'drain' | 'probe-down' | 'cruise' | 'probe-up' | 'probe-rtt';

const PACING_GAINS: Readonly<Record<Mode, number>> = {
  startup: STARTUP_GAIN,
  drain: 1 / STARTUP_GAIN,
  'probe-down': DOWN_GAIN,
  cruise: 1,
  'probe-up': UP_GAIN,
  'probe-rtt': 1,
};

/** As it was before an overflow. */
interface Undo {
  readonly bound: number;
  readonly mode: Mode;
  /** Packets that must be found to have arrived for it to have been none, and rounds in which they may. */
  packets: number;
  rounds: number;
}

export class Congestion {
  readonly #rtt: Rtt;
  #mode: Mode = 'startup';
  #modeSince = 0;
  readonly #bandwidth = new MaxFilter();
  readonly #round = new Round();
  readonly #resume = new CarefulResume();
  readonly #ackGap = new AckGap();
  /** The rate that start-up has to exceed by a quarter, and for how many rounds it has not. */
  #fullBandwidth = 0;
  #fullRounds = 0;
  /** For how many rounds the round trip was raised, and when the smallest one was measured anew. */
  #raisedRounds = 0;
  #probedRttAt = 0;
  /** The rate before the last probe, and from when on a higher one leads to another start-up. */
  #probedBandwidth = 0;
  #restartsFrom = 0;
  /** Bytes in flight beyond which the queue overflowed; BBR's inflight_hi. */
  #inflightBound = Number.POSITIVE_INFINITY;
  /** What the last overflow changed, while it may turn out that its packets were only overtaken. */
  #undo: Undo | undefined;
  readonly #averageLoss = new AverageLoss();
  /** The peer may be c-toxcore, until it is known not to be. */
  #isPolled = true;
  /** Bytes whose loss says nothing, and for how many rounds more. */
  #pathLossBytes = 0;
  #pathLossRounds = 0;

  constructor(rtt: Rtt) {
    this.#rtt = rtt;
  }

  /** The peer is of our kind: it reads its socket when something arrives, and its request packets tell to their end. */
  noteOurKind(): void {
    this.#isPolled = false;
  }

  /** An earlier session found the path to be such. Before there is anything to send. */
  resume(saved: SavedPath): void {
    if (this.#mode === 'startup' && this.#bdp < FIRST_WINDOW) this.#resume.begin(saved);
  }

  /** What a later session may begin with; undefined as long as hardly anything was sent. */
  get learned(): SavedPath | undefined {
    if (this.#bandwidth.max * this.#rtt.min < FIRST_WINDOW) return undefined;
    return { rate: this.#bandwidth.max, roundTrip: this.#rtt.min };
  }

  /** Bytes that may be in flight. */
  get congestionWindow(): number {
    if (this.#bandwidth.max === 0) return FIRST_WINDOW;
    if (this.#mode === 'probe-rtt') return Math.max(MIN_WINDOW, PROBE_RTT_GAIN * this.#bdp);
    const isStarting = this.#mode === 'startup';
    const wanted = (isStarting ? STARTUP_GAIN : this.#windowGain) * this.#bdp + WINDOW_SLACK;
    const least = isStarting ? Math.max(FIRST_WINDOW, this.#resume.rate * this.#ackHorizon) : MIN_WINDOW;
    return Math.min(MAX_WINDOW, this.#inflightBound, Math.max(least, wanted));
  }

  get #windowGain(): number {
    if (this.#isPolled) return POLLED_WINDOW_GAIN;
    return this.#hasCompetitor ? COMPETITOR_WINDOW_GAIN : WINDOW_GAIN;
  }

  /** Bytes a ms at which to send. */
  get pacingRate(): number {
    const bandwidth = this.#bandwidth.max;
    const first = this.#initialPacingRate;
    if (bandwidth === 0) return first;
    const least = MIN_WINDOW / Math.max(LONGEST_SPREAD, this.#rtt.recent);
    const rate = Math.max(least, bandwidth * PACING_GAINS[this.#mode]);
    return this.#mode === 'startup' ? Math.max(first, rate, this.#resume.rate) : rate;
  }

  /** BBR (BBRInitPacingRate): the first window is sent as fast as start-up goes beyond what a window a round trip would be. */
  get #initialPacingRate(): number {
    const roundTrip = this.#rtt.isKnown ? this.#rtt.min : 0;
    const spread = this.#isPolled ? POLLED_FIRST_SPREAD : FIRST_SPREAD;
    return FIRST_WINDOW / Math.max(spread, roundTrip / STARTUP_GAIN);
  }

  /** Bytes a ms that the path was seen to deliver; 0 before that is known. */
  get deliveryRate(): number {
    return this.#bandwidth.max;
  }

  /**
   * ms over which to measure the delivery rate, besides the round trip. A request packet of c-toxcore does not speak of what came
   * after the last missing packet; when that one comes, much is confirmed at once, which a short measurement takes for speed.
   */
  get measurement(): number {
    if (this.#isPolled && this.#mode !== 'startup') {
      return Math.max(MIN_MEASUREMENT, this.#rtt.smoothed * POLLED_MEASUREMENT);
    }
    return Math.max(0, MIN_MEASUREMENT - this.#rtt.min);
  }

  get mode(): Mode {
    return this.#mode;
  }

  /** ms that an answer may take by the peer's habits: the round trip, or its pause between acks. */
  get #ackHorizon(): number {
    return Math.max(this.#rtt.min, this.#ackGap.average * ACK_GAP_MARGIN, MIN_PERIOD);
  }

  /** Whether somebody keeps the queue full, whatever gets lost. */
  get #hasCompetitor(): boolean {
    return !this.#isPolled && this.#averageLoss.hasLossTolerantCompetitor;
  }

  /** Bytes that the path holds without a queue. */
  get #bdp(): number {
    return this.#bandwidth.max * this.#ackHorizon;
  }

  /** Acks came, or losses became known. @param inFlight bytes still in flight after them */
  onAck(sample: AckSample, inFlight: number, now: number): void {
    const round = this.#round;
    this.#noteReordering(sample, now);
    this.#noteLoss(sample);
    round.maxInFlight = Math.max(round.maxInFlight, inFlight + sample.ackedBytes + sample.lostBytes);
    if (sample.ackedBytes === 0) return;
    round.acked += sample.ackedBytes;
    if (!sample.isAmbiguous) round.smallestRoundTrip = Math.min(round.smallestRoundTrip, now - sample.sentAt);
    this.#ackGap.measure(sample, this.#rtt.min, inFlight, now);
    const rate = sample.deliveryRate(now, this.#rtt.isKnown ? this.#rtt.min : 0);
    if (rate !== undefined && (!sample.isAppLimited || rate > this.#bandwidth.max)) this.#bandwidth.add(rate);
    const path = { inFlight, roundTrip: this.#rtt.min, mayJump: !this.#isPolled };
    if (this.#resume.onAck(sample, path) && this.#mode === 'startup') this.#enter('drain', now);
    if (sample.roundDelivered >= round.end && now - round.startedAt >= MIN_ROUND) {
      this.#endRound(sample, now);
      round.begin(sample.delivered, now);
    }
    this.#advance(inFlight, now);
  }

  /** The way broke, or lost what was too large for it: what was lost in this round, or is lost now, did not overflow anything. @param inFlight bytes that went there */
  onPathLost(inFlight: number): void {
    this.#pathLossBytes = inFlight;
    this.#pathLossRounds = PATH_LOSS_ROUNDS;
    this.#round.lost = 0;
    this.#round.lostPackets = 0;
  }

  /** BBR (BBRHandleSpuriousLossDetection): on a path where packets overtake each other, loss may be none. */
  #noteReordering({ reorderedPackets }: AckSample, now: number): void {
    this.#round.lostPackets = Math.max(0, this.#round.lostPackets - reorderedPackets);
    const undo = this.#undo;
    if (undo === undefined) return;
    undo.packets -= reorderedPackets;
    if (undo.packets > 0) return;
    this.#undo = undefined;
    this.#inflightBound = Math.max(this.#inflightBound, undo.bound);
    if (undo.mode === 'startup') this.#enter('startup', now);
  }

  #noteLoss({ lostBytes, lostPackets }: AckSample): void {
    if (lostBytes === 0) return;
    const excused = Math.min(this.#pathLossBytes, lostBytes);
    this.#pathLossBytes -= excused;
    this.#round.lost += lostBytes - excused;
    this.#round.lostPackets += Math.round(lostPackets * (1 - excused / lostBytes));
  }

  #endRound(sample: AckSample, now: number): void {
    const { loss, lostPackets, maxInFlight: mostInFlight, smallestRoundTrip, startedAt } = this.#round;
    const isRaised = smallestRoundTrip > RAISED * this.#rtt.min + Math.max(RAISED_MARGIN, this.#ackGap.average);
    this.#raisedRounds = isRaised ? this.#raisedRounds + 1 : 0;
    const isHeavy = !this.#isPolled && lostPackets >= HEAVY_PACKETS && loss > HEAVY_LOSS;
    const isPolledOverflow = this.#isPolled && lostPackets >= POLLED_PACKETS && loss > POLLED_LOSS;
    this.#averageLoss.endRound(loss);
    const isCrowded = isRaised && this.#hasCompetitor;
    const isQueueOverflow = isRaised && !isCrowded && lostPackets >= OVERFLOW_PACKETS && loss > OVERFLOW_LOSS;
    const isOverflow = isHeavy || isPolledOverflow || isQueueOverflow;
    if (isHeavy) {
      this.#bandwidth.age();
      this.#restartsFrom = now + HEAVY_LOSS_MEMORY;
    }
    if (isOverflow) {
      if (this.#undo === undefined) {
        this.#undo = { bound: this.#inflightBound, mode: this.#mode, packets: lostPackets / 2, rounds: UNDO_ROUNDS };
      }
      // What got through is what the queue takes, whatever was in flight.
      const passed = mostInFlight * (1 - loss);
      const least = this.#isPolled ? this.#bandwidth.max * this.#rtt.min : this.#bdp;
      this.#inflightBound = Math.max(MIN_WINDOW, least, Math.min(this.#inflightBound, passed));
    } else if (isCrowded) this.#inflightBound = Number.POSITIVE_INFINITY;
    else if (this.#isPolled) this.#raiseBound(1 + POLLED_BOUND_GROWTH);
    if (this.#mode === 'startup') this.#checkFullPipe(sample, { isRaised, isOverflow }, now);
    else if (this.#mode === 'probe-up' && isOverflow) this.#enter('probe-down', now);
    else if (this.#bandwidth.max > RESTART_GROWTH * this.#probedBandwidth && !isRaised && now >= this.#restartsFrom) {
      this.#restart(now);
    }
    if (this.#undo !== undefined) {
      this.#undo.rounds -= 1;
      if (this.#undo.rounds === 0) this.#undo = undefined;
    }
    if (this.#pathLossRounds > 0) this.#pathLossRounds -= 1;
    else this.#pathLossBytes = 0;
    this.#bandwidth.endRound(now - startedAt);
  }

  #checkFullPipe(
    { isAppLimited }: AckSample,
    { isRaised, isOverflow }: { readonly isRaised: boolean; readonly isOverflow: boolean },
    now: number,
  ): void {
    const bandwidth = this.#bandwidth.max;
    if (bandwidth >= this.#fullBandwidth * FULL_GROWTH) {
      this.#fullBandwidth = bandwidth;
      this.#fullRounds = 0;
    } else if (!isAppLimited || isRaised) {
      this.#fullRounds += 1;
    }
    const enough = isRaised ? FULL_ROUNDS_RAISED : FULL_ROUNDS;
    if (this.#fullRounds < enough && !isOverflow) return;
    this.#probedBandwidth = bandwidth;
    this.#enter('drain', now);
  }

  /** A probe brought so much that the path must have far more; without a queue, for a queue of acks brings as much when it drains. */
  #restart(now: number): void {
    this.#fullBandwidth = this.#bandwidth.max;
    this.#fullRounds = 0;
    this.#inflightBound = Number.POSITIVE_INFINITY;
    this.#enter('startup', now);
  }

  #advance(inFlight: number, now: number): void {
    const elapsed = now - this.#modeSince;
    const horizon = this.#ackHorizon;
    switch (this.#mode) {
      case 'startup':
        return;
      case 'drain':
      case 'probe-down':
        if (inFlight <= this.#bdp || elapsed > LONGEST_DRAIN * horizon) this.#enter('cruise', now);
        return;
      case 'cruise':
        if (this.#raisedRounds >= RAISED_ROUNDS && now - this.#probedRttAt >= PROBE_RTT_INTERVAL) this.#probeRtt(now);
        else if (elapsed > (this.#hasCompetitor ? COMPETITOR_CRUISE_ROUNDS : CRUISE_ROUNDS) * horizon)
          this.#probeUp(now);
        return;
      case 'probe-rtt':
        // What was in flight before has had its time to be confirmed.
        if (elapsed > 2 * this.#rtt.recent + PROBE_RTT_TIME) this.#enter('cruise', now);
        return;
      case 'probe-up':
        if (elapsed > horizon) {
          this.#raiseBound(BOUND_GROWTH);
          this.#enter('probe-down', now);
        }
    }
  }

  #raiseBound(growth: number): void {
    this.#inflightBound *= growth;
    if (this.#inflightBound > MAX_WINDOW) this.#inflightBound = Number.POSITIVE_INFINITY;
  }

  /** The path may have become longer: with a queue of ours gone, the smallest round trip is measured anew. */
  #probeRtt(now: number): void {
    this.#probedRttAt = now;
    this.#raisedRounds = 0;
    this.#rtt.forgetMin(now + this.#rtt.recent);
    this.#enter('probe-rtt', now);
  }

  #probeUp(now: number): void {
    this.#probedBandwidth = this.#bandwidth.max;
    this.#enter('probe-up', now);
  }

  #enter(mode: Mode, now: number): void {
    this.#mode = mode;
    this.#modeSince = now;
  }
}
