/**
 * How much to send, in the manner of BBR (draft-ietf-ccwg-bbr): the model is the delivery rate of the path and its round trip,
 * not loss, which means little on radio and in a polled peer's socket. Losses count only together with a raised round trip, as
 * those of a queue that overflows; they bound the bytes in flight, but never below the bandwidth-delay product (BDP).
 *
 *     Startup ─► Drain ─► ProbeBW_CRUISE ─► ProbeBW_UP ─► ProbeBW_DOWN ─► ProbeBW_CRUISE ─► …
 *
 * ProbeBW_CRUISE also leads to ProbeRTT and back. Startup begins again from there, after a probe that grew, and when the losses
 * that ended it turn out to be none.
 *
 * Pure: takes events with the time; gives a congestion window in bytes and a pacing rate in bytes per ms.
 */
import { MAX_CRYPTO_DATA_SIZE, WIRE_OVERHEAD } from '../../packet/net-crypto.js';
import { MAX_IN_FLIGHT_NUMBERS } from '../../packet/packet-number.js';
import type { AckSample } from './ack-sample.js';
import { AverageLoss } from './average-loss.js';
import { CarefulResume, type SavedPath } from './careful-resume.js';
import { isHeavyLoss, judgeLosses } from './loss-signals.js';
import { type Mode, PACING_GAINS } from './mode.js';
import { PathLoss } from './path-loss.js';
import { PathModel } from './path-model.js';
import { ProbeRttSchedule } from './probe-rtt-schedule.js';
import { ProbeWait } from './probe-wait.js';
import { Round } from './round.js';
import type { Rtt } from './rtt.js';
import { SpuriousLoss } from './spurious-loss.js';
import { STARTUP_GAIN, Startup } from './startup.js';
import { StartupRestart } from './startup-restart.js';

const PACKET = MAX_CRYPTO_DATA_SIZE + WIRE_OVERHEAD;

/** The initial window, as large as c-toxcore's own first burst (CRYPTO_MIN_QUEUE_LENGTH). */
const FIRST_WINDOW = 64 * PACKET;
/** The initial window for other peers on a path of at least so many ms, where a round costs much; it adds 0.2 s of queue at 5 Mbit/s. */
const FAST_FIRST_WINDOW = 96 * PACKET;
const LONG_ROUND_TRIP = 20;
/** ms over which the initial window is sent to a polled peer: half of the 128 packets that its socket takes in 50 ms. */
const POLLED_FIRST_SPREAD = 25;
/** Least ms for other peers, so that the default buffer of a socket holds unread packets. */
const FIRST_SPREAD = 4;
const MIN_WINDOW = 4 * PACKET;
/**
 * The smallest window is sent within this many ms, or a round trip if that is longer. When all large packets are
 * lost, few bytes are delivered, and a rate measured from them alone would never find that the path has improved.
 */
const LONGEST_SPREAD = 200;
/** Most bytes in flight: as many full packets as numbers. */
const MAX_WINDOW = MAX_IN_FLIGHT_NUMBERS * PACKET;

/** BBR: most BDPs in flight. Pacing limits the rate; this is for a path that became slower. */
const WINDOW_GAIN = 1.5;
/** Round trips after which a queue that does not drain is not ours, or the BDP is wrong. */
const LONGEST_DRAIN = 3;
/** Bytes in flight beyond the BDP, since acks arrive in groups. */
const WINDOW_SLACK = 16 * PACKET;
/** Least ms over which the delivery rate is measured; a shorter time measures the event loop. */
const MIN_MEASUREMENT = 8;
/** Least ms of a round, in which the delivery rate can be measured once or twice. */
const MIN_ROUND = 10;
/** Most BDPs in flight beside a loss-tolerant competitor, as in BBR's first version. */
const COMPETITOR_WINDOW_GAIN = 2;
/** BBR's ProbeRTT: part of the BDP in flight, so that no queue is ours, and its least time in ms. */
const PROBE_RTT_GAIN = 0.5;
const PROBE_RTT_TIME = 50;
/** Smoothed round trips over which a polled peer's delivery rate is measured. */
const POLLED_MEASUREMENT = 2;

export class Congestion {
  readonly #rtt: Rtt;
  readonly #peer: { readonly isOurKind: boolean };
  #mode: Mode = 'startup';
  #modeSince = 0;
  /** When Startup ended last. */
  #startupEndedAt = Number.NEGATIVE_INFINITY;
  readonly #model: PathModel;
  readonly #round = new Round();
  readonly #resume = new CarefulResume();
  readonly #startup = new Startup();
  readonly #startupRestart = new StartupRestart();
  readonly #probeRttSchedule = new ProbeRttSchedule();
  readonly #probeWait = new ProbeWait();
  readonly #spuriousLoss = new SpuriousLoss();
  readonly #averageLoss = new AverageLoss();
  readonly #pathLoss = new PathLoss();

  /** @param peer.isOurKind whether it is known to read its socket when a packet arrives, and its request packets are complete */
  constructor(rtt: Rtt, peer: { readonly isOurKind: boolean }) {
    this.#rtt = rtt;
    this.#peer = peer;
    this.#model = new PathModel(rtt);
  }

  /** Whether the peer may be c-toxcore. */
  get #isPolled(): boolean {
    return !this.#peer.isOurKind;
  }

  /** Applies what an earlier session learned about the path. Called before there is data to send. */
  resume(saved: SavedPath): void {
    if (this.#mode === 'startup' && this.#model.bdp < FIRST_WINDOW) this.#resume.begin(saved);
  }

  /** What a later session may begin with; undefined until enough was sent. */
  get learned(): SavedPath | undefined {
    if (this.deliveryRate * this.#rtt.min < FIRST_WINDOW) return undefined;
    return { rate: this.deliveryRate, roundTrip: this.#rtt.min };
  }

  /** Bytes that may be in flight. */
  get congestionWindow(): number {
    const { bandwidth, ackHorizon, bdp, acksUnderWay, longTerm, shortTerm } = this.#model;
    if (bandwidth.max === 0) return this.#firstWindow;
    if (this.#mode === 'probe-rtt') return Math.max(MIN_WINDOW, PROBE_RTT_GAIN * bdp + acksUnderWay);
    const wanted = this.#windowGain * bdp + WINDOW_SLACK + acksUnderWay;
    const least = this.#mode === 'startup' ? Math.max(this.#firstWindow, this.#resume.rate * ackHorizon) : MIN_WINDOW;
    const bound = Math.min(MAX_WINDOW, longTerm.inflight, Math.max(MIN_WINDOW, shortTerm.inflight));
    return Math.min(bound, Math.max(least, wanted));
  }

  get #firstWindow(): number {
    const isLong = this.#rtt.measuredMin >= LONG_ROUND_TRIP;
    return isLong && !this.#isPolled ? FAST_FIRST_WINDOW : FIRST_WINDOW;
  }

  get #windowGain(): number {
    if (this.#mode === 'startup') return this.#isPolled ? STARTUP_GAIN : this.#startup.windowGain;
    return this.#hasCompetitor ? COMPETITOR_WINDOW_GAIN : WINDOW_GAIN;
  }

  /** Pacing rate, bytes per ms. */
  get pacingRate(): number {
    const { bandwidth, shortTerm } = this.#model;
    if (bandwidth.max === 0) return this.#initialPacingRate;
    const least = MIN_WINDOW / Math.max(LONGEST_SPREAD, this.#rtt.recent);
    if (this.#mode === 'startup') return Math.max(least, this.#startupPacingRate, this.#resume.rate);
    return Math.max(least, Math.min(bandwidth.max, shortTerm.rate) * PACING_GAINS[this.#mode]);
  }

  get #startupPacingRate(): number {
    const bandwidth = this.deliveryRate;
    if (this.#isPolled) return Math.max(this.#initialPacingRate, bandwidth * STARTUP_GAIN);
    const rate = bandwidth * this.#startup.pacingGain;
    return this.#startup.isQueueing ? rate : Math.max(this.#initialPacingRate, rate);
  }

  /** BBR (BBRInitPacingRate): the initial window per round trip, times the gain of Startup. */
  get #initialPacingRate(): number {
    const spread = this.#isPolled ? POLLED_FIRST_SPREAD : FIRST_SPREAD;
    return this.#firstWindow / Math.max(spread, this.#rtt.measuredMin / STARTUP_GAIN);
  }

  /** Measured delivery rate, bytes per ms; 0 before it is known. */
  get deliveryRate(): number {
    return this.#model.bandwidth.max;
  }

  /**
   * ms over which to measure the delivery rate, besides the round trip. A request packet of c-toxcore does not report what arrived
   * after the last missing packet; when that one arrives, much is acknowledged at once, which a short measurement takes for speed.
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

  /** Whether a competing flow keeps the queue full despite loss. */
  get #hasCompetitor(): boolean {
    return !this.#isPolled && this.#averageLoss.hasLossTolerantCompetitor;
  }

  /**
   * Acks arrived, or losses were detected.
   * @param inFlight bytes still in flight after them
   * @param ackDelay ms by which the peer's own data delayed the acks; round trips and rates are measured without it
   */
  onAck(sample: AckSample, inFlight: number, now: number, ackDelay = 0): void {
    const round = this.#round;
    const ackedAt = now - ackDelay;
    this.#noteReordering(sample, now);
    this.#noteLoss(sample);
    const wasInFlight = inFlight + sample.ackedBytes + sample.lostBytes;
    round.maxInFlight = Math.max(round.maxInFlight, wasInFlight);
    this.#model.longTerm.onInFlight(wasInFlight);
    if (sample.ackedBytes === 0) return;
    round.acked += sample.ackedBytes;
    if (!sample.isAmbiguous) {
      round.smallestRoundTrip = Math.min(round.smallestRoundTrip, ackedAt - sample.sentAt);
      this.#startup.onRoundTrip(this.#model.isRaised(ackedAt - sample.sentAt));
    }
    this.#model.onAck(sample, inFlight, now, ackDelay);
    const path = { inFlight, roundTrip: this.#rtt.min, mayJump: !this.#isPolled };
    if (this.#resume.onAck(sample, path) && this.#mode === 'startup') this.#enter('drain', now);
    // The ack of a copy, sent just before the first one arrived, would end a round sooner than a round trip.
    const shortest = Math.max(MIN_ROUND, this.#rtt.measuredMin);
    if (sample.roundDelivered >= round.end && ackedAt - round.startedAt >= shortest) {
      this.#endRound(sample, ackedAt - round.startedAt, now);
      round.begin(sample.delivered, ackedAt);
    }
    this.#advance(inFlight - this.#model.acksUnderWay, now);
  }

  /** The path was lost, or dropped packets too large for it: losses of this round are no overflow. @param inFlight bytes sent there */
  onPathLost(inFlight: number): void {
    this.#pathLoss.begin(inFlight);
    this.#round.lost = 0;
    this.#round.lostPackets = 0;
  }

  #noteReordering({ reorderedPackets }: AckSample, now: number): void {
    this.#round.lostPackets = Math.max(0, this.#round.lostPackets - reorderedPackets);
    const before = this.#spuriousLoss.onReordered(reorderedPackets);
    if (before === undefined) return;
    const { longTerm, shortTerm } = this.#model;
    longTerm.inflight = Math.max(longTerm.inflight, before.bound);
    shortTerm.reset();
    if (before.mode === 'startup') this.#enter('startup', now);
  }

  #noteLoss({ lostBytes, lostPackets, lostSentAt }: AckSample): void {
    if (lostBytes === 0) return;
    this.#round.lastLostSentAt = Math.max(this.#round.lastLostSentAt, lostSentAt);
    const excused = this.#pathLoss.take(lostBytes);
    this.#round.lost += lostBytes - excused;
    this.#round.lostPackets += Math.round(lostPackets * (1 - excused / lostBytes));
    if (isHeavyLoss(this.#round)) this.#startup.onRoundTrip(true);
  }

  #endRound(sample: AckSample, duration: number, now: number): void {
    const round = this.#round;
    const model = this.#model;
    const isRaised = model.isRaised(round.smallestRoundTrip);
    this.#averageLoss.endRound(round.loss);
    const hasCompetitor = this.#hasCompetitor;
    const { isLossy, isHeavy, isOverflow, isShortTerm, isProbeOverflow } = judgeLosses(round, {
      mode: this.#mode,
      isPolled: this.#isPolled,
      isRaised,
      hasCompetitor,
      startupEndedAt: this.#startupEndedAt,
    });
    this.#probeRttSchedule.endRound({ isRaised, isLossy: isLossy && !this.#isPolled }, this.#rtt.smoothed);
    if (isHeavy) {
      model.bandwidth.age();
      this.#startupRestart.onHeavyLoss(now);
    }
    if (isOverflow || isShortTerm) {
      this.#spuriousLoss.begin({ bound: model.longTerm.inflight, mode: this.#mode }, round.lostPackets);
    }
    if (isProbeOverflow) this.#probeWait.onOverflow();
    if (isShortTerm) {
      const limits = { rate: model.bandwidth.max, inflight: this.congestionWindow };
      model.shortTerm.onLoss({ bytes: round.acked, ms: duration }, limits);
    }
    if (isOverflow) {
      // The queue takes what got through, whatever was in flight.
      const passed = round.maxInFlight * (1 - round.loss);
      const bdp = this.#isPolled ? model.bandwidth.max * this.#rtt.min : model.bdp;
      model.longTerm.onOverflow(passed, Math.max(MIN_WINDOW, bdp));
    } else if (isRaised && hasCompetitor) model.longTerm.reset();
    else if (this.#isPolled) model.longTerm.endPolledRound();
    if (this.#mode === 'startup') {
      const isFull = this.#startup.endRound(model.bandwidth.max, { isAppLimited: sample.isAppLimited, isRaised });
      if (isFull || isOverflow) this.#enter('drain', now);
    } else if (this.#mode === 'probe-up' && isOverflow) this.#enter('probe-down', now);
    else if (!isRaised && this.#startupRestart.isDue(model.bandwidth.max, now)) this.#restart(now);
    this.#spuriousLoss.endRound();
    this.#pathLoss.endRound();
    model.bandwidth.endRound(duration);
  }

  /** A probe grew so much that the path must have far more bandwidth; without a queue, since draining acks grow as much. */
  #restart(now: number): void {
    this.#startup.restart(this.deliveryRate);
    this.#model.longTerm.reset();
    this.#enter('startup', now);
  }

  #advance(inFlight: number, now: number): void {
    const elapsed = now - this.#modeSince;
    const { bdp, ackHorizon: horizon, ackDelay, longTerm } = this.#model;
    switch (this.#mode) {
      case 'startup':
        return;
      case 'drain':
      case 'probe-down':
        if (inFlight <= bdp || elapsed > LONGEST_DRAIN * horizon) this.#enter('cruise', now);
        return;
      case 'cruise':
        if (this.#probeRttSchedule.isDue(this.#rtt.min, now)) this.#enter('probe-rtt', now);
        else if (this.#probeWait.isOver(elapsed, horizon)) this.#enter('probe-up', now);
        return;
      case 'probe-rtt':
        // The packets in flight before have had time to be acknowledged.
        if (elapsed > 2 * this.#rtt.recent + PROBE_RTT_TIME) this.#endProbeRtt(now);
        return;
      case 'probe-up':
        // As long as a round trip and its ack take now: behind a full queue of others, a shorter probe is too small a part of a round.
        if (elapsed <= Math.max(horizon, this.#rtt.smoothed + ackDelay)) return;
        longTerm.endProbe(this.#isPolled);
        this.#enter('probe-down', now);
    }
  }

  #endProbeRtt(now: number): void {
    const startup = { age: now - this.#startupEndedAt, rate: this.deliveryRate, firstWindow: this.#firstWindow };
    if (this.#probeRttSchedule.end(this.#rtt.min, startup)) this.#restart(now);
    else this.#enter('cruise', now);
  }

  #enter(mode: Mode, now: number): void {
    const { bdp, ackHorizon, shortTerm, longTerm } = this.#model;
    this.#mode = mode;
    this.#modeSince = now;
    switch (mode) {
      case 'startup':
        shortTerm.reset();
        this.#probeWait.onProbe();
        return;
      case 'drain':
        if (!this.#isPolled) this.#startupEndedAt = now;
        this.#startupRestart.onStartupEnded(this.deliveryRate);
        return;
      case 'cruise':
        // The bytes delivered serve as a random number.
        this.#probeWait.onCruise(
          { packets: bdp / PACKET, roundTrip: ackHorizon, hasCompetitor: this.#hasCompetitor },
          this.#round.end,
        );
        return;
      case 'probe-up':
        shortTerm.reset();
        longTerm.beginProbe();
        this.#probeWait.onProbe();
        this.#startupRestart.onProbe(this.deliveryRate);
        return;
      case 'probe-rtt':
        if (this.#probeRttSchedule.begin(this.#rtt.min, now)) this.#rtt.forgetMin(now + this.#rtt.recent);
    }
  }
}
