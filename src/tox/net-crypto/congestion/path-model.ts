/**
 * What acks tell of the path (draft-ietf-ccwg-bbr: the network path model): its delivery rate, its round trip, and what bounds the
 * bytes in flight. Pure; times are ms.
 *
 * A c-toxcore peer reads its socket every 50 ms and acknowledges every 50 to 100 ms. Its smallest round trip is therefore far
 * below the typical one, and the time between its acks replaces the round trip where it is longer.
 */
import { AckGap } from './ack-gap.js';
import type { AckSample } from './ack-sample.js';
import { LongTermModel } from './long-term-model.js';
import { MaxFilter } from './max-filter.js';
import type { Rtt } from './rtt.js';
import { ShortTermModel } from './short-term-model.js';

/** A round trip counts as raised, by a queue, above this multiple of the smallest one and this many ms more. */
const RAISED = 1.25;
const RAISED_MARGIN = 4;
/** Least ms of a period; on a path of microseconds a period would hold too few packets to measure. */
const MIN_PERIOD = 2;
/** Factor by which the longest gap between acks may exceed the average. */
const ACK_GAP_MARGIN = 1.5;

export class PathModel {
  /** What overflows at probes bound. */
  readonly longTerm = new LongTermModel();
  /** What losses between probes bound until the next one. */
  readonly shortTerm = new ShortTermModel();
  /** Bytes per ms that the path delivers; 0 before it is known. */
  readonly bandwidth = new MaxFilter();
  /** ms by which the peer's own data delayed the last ack. */
  ackDelay = 0;
  readonly #rtt: Rtt;
  readonly #ackGap = new AckGap();

  constructor(rtt: Rtt) {
    this.#rtt = rtt;
  }

  /** ms within which an ack is expected: the round trip, or the peer's pause between acks if that is longer. */
  get ackHorizon(): number {
    return Math.max(this.#rtt.min, this.#ackGap.average * ACK_GAP_MARGIN, MIN_PERIOD);
  }

  /** The bandwidth-delay product: bytes that the path holds without a queue. */
  get bdp(): number {
    return this.bandwidth.max * this.ackHorizon;
  }

  /** Bytes that arrived, and whose acks wait behind the peer's own data. */
  get acksUnderWay(): number {
    return this.bandwidth.max * this.ackDelay;
  }

  /** Whether a round trip is as long as a queue makes it. */
  isRaised(roundTrip: number): boolean {
    return roundTrip > RAISED * this.#rtt.min + Math.max(RAISED_MARGIN, this.#ackGap.average);
  }

  /** @param inFlight bytes still in flight @param ackDelay ms by which the peer's own data delayed the ack */
  onAck(sample: AckSample, inFlight: number, now: number, ackDelay: number): void {
    this.ackDelay = ackDelay;
    this.#ackGap.measure(sample, this.#rtt.min, inFlight, now);
    const rate = sample.deliveryRate(now - ackDelay, this.#rtt.measuredMin);
    if (rate !== undefined && (!sample.isAppLimited || rate > this.bandwidth.max)) this.bandwidth.add(rate);
  }
}
