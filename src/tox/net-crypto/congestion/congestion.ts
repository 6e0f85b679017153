/**
 * How much to send, in the manner of BBR (draft-ietf-ccwg-bbr): the model is the delivery rate of the path and its round trip,
 * not loss, which means little on radio and in a polled peer's socket. Losses count only together with a raised round trip, as
 * those of a queue that overflows; they bound the bytes in flight, but never below the bandwidth-delay product (BDP).
 *
 * A c-toxcore peer reads its socket every 50 ms and acknowledges every 50 to 100 ms. Its smallest round trip is therefore far
 * below the typical one, and the time between its acks replaces the round trip where it is longer.
 *
 * Pure: takes events with the time; gives a congestion window in bytes and a pacing rate in bytes per ms.
 */
import { MAX_CRYPTO_DATA_SIZE, WIRE_OVERHEAD } from '../../packet/net-crypto.js';
import { MAX_IN_FLIGHT_NUMBERS } from '../../packet/packet-number.js';
import { AckGap } from './ack-gap.js';
import type { AckSample } from './ack-sample.js';
import { AverageLoss } from './average-loss.js';
import { CarefulResume, type SavedPath } from './careful-resume.js';
import { isHeavyLoss, judgeLosses, type Mode } from './loss-signals.js';
import { MaxFilter } from './max-filter.js';
import { PACING_GAINS } from './pacing-gains.js';
import { PathLoss } from './path-loss.js';
import { ProbeRttSchedule, type StartupResult } from './probe-rtt-schedule.js';
import { ProbeWait } from './probe-wait.js';
import { Round } from './round.js';
import type { Rtt } from './rtt.js';
import { ShortTermModel } from './short-term-model.js';
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
/** A round trip counts as raised, by a queue, above this multiple of the smallest one and this many ms more. */
const RAISED = 1.25;
const RAISED_MARGIN = 4;
/** Least ms of a period; on a path of microseconds a period would hold too few packets to measure. */
const MIN_PERIOD = 2;
/** Least ms over which the delivery rate is measured; a shorter time measures the event loop. */
const MIN_MEASUREMENT = 8;
/** Least ms of a round, in which the delivery rate can be measured once or twice. */
const MIN_ROUND = 10;
/** Factor by which the longest gap between acks may exceed the average. */
const ACK_GAP_MARGIN = 1.5;
/** Most BDPs in flight beside a loss-tolerant competitor, as in BBR's first version. */
const COMPETITOR_WINDOW_GAIN = 2;
/** BBR's ProbeRTT: part of the BDP in flight, so that no queue is ours, and its least time in ms. */
const PROBE_RTT_GAIN = 0.5;
const PROBE_RTT_TIME = 50;
/** Factor by which a probe without an overflow raises the bound that an overflow set, if it has reached this part of it. */
const BOUND_GROWTH = 1.25;
const BOUND_REACHED = 0.9;
/** Part by which a round of a polled peer without an overflow raises the bound. */
const POLLED_BOUND_GROWTH = 1 / 24;
/** Smoothed round trips over which a polled peer's delivery rate is measured. */
const POLLED_MEASUREMENT = 2;

export class Congestion {
  readonly #rtt: Rtt;
  readonly #peer: { readonly isOurKind: boolean };
  #mode: Mode = 'startup';
  #modeSince = 0;
  /** When Startup ended last. */
  #startupEndedAt = Number.NEGATIVE_INFINITY;
  readonly #bandwidth = new MaxFilter();
  readonly #round = new Round();
  readonly #resume = new CarefulResume();
  readonly #ackGap = new AckGap();
  readonly #startup = new Startup();
  readonly #startupRestart = new StartupRestart();
  readonly #probeRttSchedule = new ProbeRttSchedule();
  readonly #probeWait = new ProbeWait();
  /** Most bytes in flight since the last probe began. */
  #probedInFlight = 0;
  /** Bytes in flight above which the queue overflowed at a probe; BBR's inflight_longterm. */
  #inflightBound = Number.POSITIVE_INFINITY;
  /** What losses between probes bound until the next one. */
  readonly #shortTerm = new ShortTermModel();
  readonly #spuriousLoss = new SpuriousLoss();
  readonly #averageLoss = new AverageLoss();
  readonly #pathLoss = new PathLoss();
  /** ms by which the peer's own data delayed the last ack. */
  #ackDelay = 0;

  /** @param peer.isOurKind whether it is known to read its socket when a packet arrives, and its request packets are complete */
  constructor(rtt: Rtt, peer: { readonly isOurKind: boolean }) {
    this.#rtt = rtt;
    this.#peer = peer;
  }

  /** Whether the peer may be c-toxcore. */
  get #isPolled(): boolean {
    return !this.#peer.isOurKind;
  }

  /** Applies what an earlier session learned about the path. Called before there is data to send. */
  resume(saved: SavedPath): void {
    if (this.#mode === 'startup' && this.#bdp < FIRST_WINDOW) this.#resume.begin(saved);
  }

  /** What a later session may begin with; undefined until enough was sent. */
  get learned(): SavedPath | undefined {
    if (this.#bandwidth.max * this.#rtt.min < FIRST_WINDOW) return undefined;
    return { rate: this.#bandwidth.max, roundTrip: this.#rtt.min };
  }

  /** Bytes that may be in flight. */
  get congestionWindow(): number {
    if (this.#bandwidth.max === 0) return this.#firstWindow;
    if (this.#mode === 'probe-rtt') return Math.max(MIN_WINDOW, PROBE_RTT_GAIN * this.#bdp + this.#acksUnderWay);
    const wanted = this.#windowGain * this.#bdp + WINDOW_SLACK + this.#acksUnderWay;
    const least =
      this.#mode === 'startup' ? Math.max(this.#firstWindow, this.#resume.rate * this.#ackHorizon) : MIN_WINDOW;
    const bound = Math.min(MAX_WINDOW, this.#inflightBound, Math.max(MIN_WINDOW, this.#shortTerm.inflight));
    return Math.min(bound, Math.max(least, wanted));
  }

  get #firstWindow(): number {
    const isLong = this.#rtt.isKnown && this.#rtt.min >= LONG_ROUND_TRIP;
    return isLong && !this.#isPolled ? FAST_FIRST_WINDOW : FIRST_WINDOW;
  }

  get #windowGain(): number {
    if (this.#mode === 'startup') return this.#isPolled ? STARTUP_GAIN : this.#startup.windowGain;
    return this.#hasCompetitor ? COMPETITOR_WINDOW_GAIN : WINDOW_GAIN;
  }

  /** Pacing rate, bytes per ms. */
  get pacingRate(): number {
    const bandwidth = this.#bandwidth.max;
    if (bandwidth === 0) return this.#initialPacingRate;
    const least = MIN_WINDOW / Math.max(LONGEST_SPREAD, this.#rtt.recent);
    if (this.#mode === 'startup') return Math.max(least, this.#startupPacingRate, this.#resume.rate);
    return Math.max(least, Math.min(bandwidth, this.#shortTerm.rate) * PACING_GAINS[this.#mode]);
  }

  get #startupPacingRate(): number {
    const bandwidth = this.#bandwidth.max;
    if (this.#isPolled) return Math.max(this.#initialPacingRate, bandwidth * STARTUP_GAIN);
    const rate = bandwidth * this.#startup.pacingGain;
    return this.#startup.isQueueing ? rate : Math.max(this.#initialPacingRate, rate);
  }

  /** BBR (BBRInitPacingRate): the initial window per round trip, times the gain of Startup. */
  get #initialPacingRate(): number {
    const roundTrip = this.#rtt.isKnown ? this.#rtt.min : 0;
    const spread = this.#isPolled ? POLLED_FIRST_SPREAD : FIRST_SPREAD;
    return this.#firstWindow / Math.max(spread, roundTrip / STARTUP_GAIN);
  }

  /** Measured delivery rate, bytes per ms; 0 before it is known. */
  get deliveryRate(): number {
    return this.#bandwidth.max;
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

  /** ms within which an ack is expected: the round trip, or the peer's pause between acks if that is longer. */
  get #ackHorizon(): number {
    return Math.max(this.#rtt.min, this.#ackGap.average * ACK_GAP_MARGIN, MIN_PERIOD);
  }

  /** Whether a competing flow keeps the queue full despite loss. */
  get #hasCompetitor(): boolean {
    return !this.#isPolled && this.#averageLoss.hasLossTolerantCompetitor;
  }

  /** The bandwidth-delay product: bytes that the path holds without a queue. */
  get #bdp(): number {
    return this.#bandwidth.max * this.#ackHorizon;
  }

  /** Bytes that arrived, and whose acks wait behind the peer's own data. */
  get #acksUnderWay(): number {
    return this.#bandwidth.max * this.#ackDelay;
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
    this.#probedInFlight = Math.max(this.#probedInFlight, wasInFlight);
    if (sample.ackedBytes === 0) return;
    this.#ackDelay = ackDelay;
    round.acked += sample.ackedBytes;
    if (!sample.isAmbiguous) this.#measureRoundTrip(ackedAt - sample.sentAt);
    this.#ackGap.measure(sample, this.#rtt.min, inFlight, now);
    const rate = sample.deliveryRate(ackedAt, this.#rtt.isKnown ? this.#rtt.min : 0);
    if (rate !== undefined && (!sample.isAppLimited || rate > this.#bandwidth.max)) this.#bandwidth.add(rate);
    const path = { inFlight, roundTrip: this.#rtt.min, mayJump: !this.#isPolled };
    if (this.#resume.onAck(sample, path) && this.#mode === 'startup') this.#enter('drain', now);
    if (sample.roundDelivered >= round.end && ackedAt - round.startedAt >= this.#shortestRound) {
      this.#endRound(sample, ackedAt - round.startedAt, now);
      round.begin(sample.delivered, ackedAt);
    }
    this.#advance(inFlight - this.#acksUnderWay, now);
  }

  /** ms; the ack of a copy, sent just before the first one arrived, would end a round sooner than a round trip. */
  get #shortestRound(): number {
    return this.#rtt.isKnown ? Math.max(MIN_ROUND, this.#rtt.min) : MIN_ROUND;
  }

  #measureRoundTrip(roundTrip: number): void {
    this.#round.smallestRoundTrip = Math.min(this.#round.smallestRoundTrip, roundTrip);
    this.#startup.onRoundTrip(this.#isRaised(roundTrip));
  }

  /** Whether a round trip is as long as a queue makes it. */
  #isRaised(roundTrip: number): boolean {
    return roundTrip > RAISED * this.#rtt.min + Math.max(RAISED_MARGIN, this.#ackGap.average);
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
    this.#inflightBound = Math.max(this.#inflightBound, before.bound);
    this.#shortTerm.reset();
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
    const isRaised = this.#isRaised(round.smallestRoundTrip);
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
      this.#bandwidth.age();
      this.#startupRestart.onHeavyLoss(now);
    }
    if (isOverflow || isShortTerm) {
      this.#spuriousLoss.begin({ bound: this.#inflightBound, mode: this.#mode }, round.lostPackets);
    }
    if (isProbeOverflow) this.#probeWait.onOverflow();
    if (isShortTerm) {
      const limits = { rate: this.#bandwidth.max, inflight: this.congestionWindow };
      this.#shortTerm.onLoss({ bytes: round.acked, ms: duration }, limits);
    }
    if (isOverflow) {
      // The queue takes what got through, whatever was in flight.
      const passed = round.maxInFlight * (1 - round.loss);
      const least = this.#isPolled ? this.#bandwidth.max * this.#rtt.min : this.#bdp;
      this.#inflightBound = Math.max(MIN_WINDOW, least, Math.min(this.#inflightBound, passed));
    } else if (isRaised && hasCompetitor) this.#inflightBound = Number.POSITIVE_INFINITY;
    else if (this.#isPolled) this.#raiseBound(1 + POLLED_BOUND_GROWTH);
    if (this.#mode === 'startup') this.#checkStartup(sample, { isRaised, isOverflow }, now);
    else if (this.#mode === 'probe-up' && isOverflow) this.#enter('probe-down', now);
    else if (!isRaised && this.#startupRestart.isDue(this.#bandwidth.max, now)) this.#restart(now);
    this.#spuriousLoss.endRound();
    this.#pathLoss.endRound();
    this.#bandwidth.endRound(duration);
  }

  #checkStartup(
    { isAppLimited }: AckSample,
    { isRaised, isOverflow }: { readonly isRaised: boolean; readonly isOverflow: boolean },
    now: number,
  ): void {
    const isFull = this.#startup.endRound(this.#bandwidth.max, { isAppLimited, isRaised });
    if (isFull || isOverflow) this.#enter('drain', now);
  }

  /** A probe grew so much that the path must have far more bandwidth; without a queue, since draining acks grow as much. */
  #restart(now: number): void {
    this.#startup.restart(this.#bandwidth.max);
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
        if (this.#probeRttSchedule.isDue(this.#rtt.min, now)) this.#probeRtt(now);
        else if (this.#probeWait.isOver(elapsed, horizon)) this.#enter('probe-up', now);
        return;
      case 'probe-rtt':
        // The packets in flight before have had time to be acknowledged.
        if (elapsed <= 2 * this.#rtt.recent + PROBE_RTT_TIME) return;
        if (this.#probeRttSchedule.end(this.#rtt.min, this.#resultOfStartup(now))) this.#restart(now);
        else this.#enter('cruise', now);
        return;
      case 'probe-up':
        // As long as a round trip and its ack take now: behind a full queue of others, a shorter probe is too small a part of a round.
        if (elapsed > Math.max(horizon, this.#rtt.smoothed + this.#ackDelay)) {
          const hasReached = this.#probedInFlight >= BOUND_REACHED * this.#inflightBound;
          if (hasReached || this.#isPolled) this.#raiseBound(BOUND_GROWTH);
          this.#enter('probe-down', now);
        }
    }
  }

  #resultOfStartup(now: number): StartupResult {
    return { age: now - this.#startupEndedAt, rate: this.#bandwidth.max, firstWindow: this.#firstWindow };
  }

  #raiseBound(growth: number): void {
    this.#inflightBound *= growth;
    if (this.#inflightBound > MAX_WINDOW) this.#inflightBound = Number.POSITIVE_INFINITY;
  }

  /** The smallest round trip is measured with our queue drained. */
  #probeRtt(now: number): void {
    if (this.#probeRttSchedule.begin(this.#rtt.min, now)) this.#rtt.forgetMin(now + this.#rtt.recent);
    this.#enter('probe-rtt', now);
  }

  #enter(mode: Mode, now: number): void {
    if (mode === 'probe-up' || mode === 'startup') {
      this.#shortTerm.reset();
      this.#probeWait.onProbe();
    }
    this.#mode = mode;
    this.#modeSince = now;
    if (mode === 'drain' && !this.#isPolled) this.#startupEndedAt = now;
    if (mode === 'drain') this.#startupRestart.onStartupEnded(this.#bandwidth.max);
    if (mode === 'probe-up') {
      this.#probedInFlight = 0;
      this.#startupRestart.onProbe(this.#bandwidth.max);
    }
    if (mode !== 'cruise') return;
    const path = { packets: this.#bdp / PACKET, roundTrip: this.#ackHorizon, hasCompetitor: this.#hasCompetitor };
    // The bytes delivered serve as a random number.
    this.#probeWait.onCruise(path, this.#round.end);
  }
}
