/** A model of a TCP flow at a bottleneck: window, pacing and losses, without a stream. */
import type { ManualClock } from '../../support/manual-clock.js';
import type { Link } from './stream-pair.js';

/** What a flow needs of a link. */
type Way = Pick<Link, 'carry'>;

/** Bytes of a full IP packet and of one with an ack. */
const PACKET = 1500;
const PAYLOAD = 1448;
const ACK = 52;
/** Packets that arrive after a missing one until it counts as lost. */
const DUPLICATES = 3;
/** ms of silence after which all packets in flight count as lost. */
const TIMEOUT = 1000;
/** ms between bursts of a paced flow. */
const BURST_INTERVAL = 1;

export interface Ack {
  readonly now: number;
  /** ms. */
  readonly roundTrip: number;
  /** Packets a ms. */
  readonly deliveryRate: number;
  /** Packets still in flight. */
  readonly inFlight: number;
  /** Whether all packets that were in flight at the last such ack, and one more, have arrived. */
  readonly isNewRound: boolean;
  /** Whether the packet was sent after the last reduction of the window. */
  readonly isRecovered: boolean;
}

export interface CongestionControl {
  /** Packets. */
  readonly window: number;
  /** Packets a ms; Infinity for no pacing. */
  readonly rate: number;
  onAck(ack: Ack): void;
  /** Once for the losses of a round. */
  onLoss(now: number): void;
}

interface Sent {
  readonly at: number;
  readonly delivered: number;
  readonly deliveredAt: number;
}

export class TcpFlow {
  readonly #clock: ManualClock;
  readonly #links: { readonly out: Way; readonly back: Way };
  readonly #control: CongestionControl;
  /** By number, in order. */
  readonly #inFlight = new Map<number, Sent>();
  #next = 0;
  #recoveryEnd = 0;
  #roundEnd = 0;
  #delivered = 0;
  #deliveredAt: number;
  #heardAt: number;
  #budget = 1;
  /** Bytes of data received. */
  received = 0;

  constructor(clock: ManualClock, links: { readonly out: Way; readonly back: Way }, control: CongestionControl) {
    this.#clock = clock;
    this.#links = links;
    this.#control = control;
    this.#heardAt = clock.now();
    this.#deliveredAt = this.#heardAt;
    clock.every(TIMEOUT / 4, () => this.#lookForSilence());
    if (Number.isFinite(control.rate)) {
      clock.every(BURST_INTERVAL, () => {
        this.#budget = Math.min(4 * control.rate + 1, this.#budget + control.rate * BURST_INTERVAL);
        this.#fill();
      });
    } else this.#fill();
  }

  #fill(): void {
    const isPaced = Number.isFinite(this.#control.rate);
    while (this.#inFlight.size < this.#control.window && !(isPaced && this.#budget < 1)) {
      if (isPaced) this.#budget -= 1;
      const number = this.#next;
      const now = this.#clock.now();
      this.#next += 1;
      if (this.#inFlight.size === 0) this.#deliveredAt = now;
      this.#inFlight.set(number, { at: now, delivered: this.#delivered, deliveredAt: this.#deliveredAt });
      this.#links.out.carry(PACKET, () => {
        this.received += PAYLOAD;
        this.#links.back.carry(ACK, () => this.#onAck(number));
      });
    }
  }

  #onAck(number: number): void {
    const sent = this.#inFlight.get(number);
    if (sent === undefined) return;
    const now = this.#clock.now();
    this.#heardAt = now;
    this.#delivered += 1;
    this.#deliveredAt = now;
    this.#inFlight.delete(number);
    for (const [older] of this.#inFlight) {
      if (older > number - DUPLICATES) break;
      this.#inFlight.delete(older);
      this.#onLoss(older);
    }
    const isNewRound = sent.delivered >= this.#roundEnd;
    if (isNewRound) this.#roundEnd = this.#delivered;
    this.#control.onAck({
      now,
      roundTrip: now - sent.at,
      deliveryRate: (this.#delivered - sent.delivered) / Math.max(1, now - sent.deliveredAt),
      inFlight: this.#inFlight.size,
      isNewRound,
      isRecovered: number >= this.#recoveryEnd,
    });
    this.#fill();
  }

  #onLoss(number: number): void {
    if (number < this.#recoveryEnd) return;
    this.#recoveryEnd = this.#next;
    this.#control.onLoss(this.#clock.now());
  }

  #lookForSilence(): void {
    if (this.#clock.now() - this.#heardAt < TIMEOUT) return;
    this.#heardAt = this.#clock.now();
    this.#inFlight.clear();
    this.#onLoss(this.#next);
    this.#fill();
  }
}

/** RFC 9438: C in packets per s³, and the factor of the window after a loss. */
const SCALE = 0.4;
const LEFT = 0.7;

export class Cubic implements CongestionControl {
  readonly rate = Number.POSITIVE_INFINITY;
  window = 10;
  #threshold = Number.POSITIVE_INFINITY;
  /** The window at the last loss, and when that was, ms. */
  #lossWindow = 0;
  #lossAt = 0;
  #roundTrip = 100;

  onLoss(now: number): void {
    // Fast convergence: a flow with a loss at a smaller window than the last time leaves room for others.
    this.#lossWindow = this.window < this.#lossWindow ? (this.window * (1 + LEFT)) / 2 : this.window;
    this.#lossAt = now;
    this.window = Math.max(2, this.window * LEFT);
    this.#threshold = this.window;
  }

  onAck({ now, roundTrip, isRecovered }: Ack): void {
    this.#roundTrip += (roundTrip - this.#roundTrip) / 8;
    if (!isRecovered) return;
    if (this.window < this.#threshold) {
      this.window += 1;
      return;
    }
    const [seconds, smoothed] = [(now - this.#lossAt) / 1000, this.#roundTrip / 1000];
    const plateau = Math.cbrt((this.#lossWindow * (1 - LEFT)) / SCALE);
    const cubic = SCALE * (seconds + smoothed - plateau) ** 3 + this.#lossWindow;
    const reno = this.#lossWindow * LEFT + ((3 * (1 - LEFT)) / (1 + LEFT)) * (seconds / smoothed);
    const wanted = Math.min(Math.max(cubic, reno), 1.5 * this.window);
    this.window += Math.max(0.01, wanted - this.window) / this.window;
  }
}

/** draft-cardwell-iccrg-bbr-congestion-control-00, the version of Linux. */
const HIGH_GAIN = 2.885;
const WINDOW_GAIN = 2;
const CYCLE = [1.25, 0.75, 1, 1, 1, 1, 1, 1];
const RATE_ROUNDS = 10;
const MIN_SPAN = 10_000;
const PROBE_RTT_WINDOW = 4;
const PROBE_RTT_TIME = 200;

export class Bbr implements CongestionControl {
  /** The largest delivery rates of the last rounds, packets per ms. */
  readonly #rates = [0.25];
  #min = Number.POSITIVE_INFINITY;
  #minAt = 0;
  #mode: 'startup' | 'drain' | 'cycle' | 'probe-rtt' = 'startup';
  #full = 0;
  #fullRounds = 0;
  #phase = 2;
  #phaseAt = 0;
  #probeUntil = 0;

  get #bandwidth(): number {
    return Math.max(...this.#rates);
  }

  get #product(): number {
    return Number.isFinite(this.#min) ? this.#bandwidth * this.#min : 10;
  }

  get rate(): number {
    if (this.#mode === 'startup') return HIGH_GAIN * this.#bandwidth;
    if (this.#mode === 'drain') return this.#bandwidth / HIGH_GAIN;
    return this.#mode === 'cycle' ? this.#bandwidth * (CYCLE[this.#phase] ?? 1) : this.#bandwidth;
  }

  get window(): number {
    if (this.#mode === 'probe-rtt') return PROBE_RTT_WINDOW;
    return Math.max(10, (this.#mode === 'startup' ? HIGH_GAIN : WINDOW_GAIN) * this.#product);
  }

  onLoss(): void {}

  onAck({ now, roundTrip, deliveryRate, inFlight, isNewRound }: Ack): void {
    if (isNewRound) {
      this.#rates.unshift(0);
      this.#rates.length = Math.min(RATE_ROUNDS, this.#rates.length);
      this.#lookWhetherFull();
    }
    this.#rates[0] = Math.max(this.#rates[0] ?? 0, deliveryRate);
    const isOld = now - this.#minAt > MIN_SPAN;
    if (roundTrip <= this.#min || isOld) [this.#min, this.#minAt] = [roundTrip, now];
    if (isOld && this.#mode !== 'probe-rtt') {
      this.#mode = 'probe-rtt';
      this.#probeUntil = now + PROBE_RTT_TIME + roundTrip;
    }
    if (this.#mode === 'probe-rtt' && now >= this.#probeUntil) {
      this.#minAt = now;
      this.#mode = this.#fullRounds >= 3 ? 'cycle' : 'startup';
    }
    if (this.#mode === 'drain' && inFlight <= this.#product) this.#mode = 'cycle';
    if (this.#mode === 'cycle') this.#advance(inFlight, now);
  }

  #lookWhetherFull(): void {
    if (this.#mode !== 'startup') return;
    if (this.#bandwidth >= 1.25 * this.#full) [this.#full, this.#fullRounds] = [this.#bandwidth, 0];
    else this.#fullRounds += 1;
    if (this.#fullRounds >= 3) this.#mode = 'drain';
  }

  #advance(inFlight: number, now: number): void {
    const isLong = now - this.#phaseAt > this.#min;
    const gain = CYCLE[this.#phase] ?? 1;
    const isOver =
      gain > 1
        ? isLong && (inFlight >= gain * this.#product || now - this.#phaseAt > 3 * this.#min)
        : isLong || (gain < 1 && inFlight <= this.#product);
    if (!isOver) return;
    this.#phase = (this.#phase + 1) % CYCLE.length;
    this.#phaseAt = now;
  }
}
