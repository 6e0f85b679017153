/**
 * By how much the peer's own data delays acks, which wait behind it in the queue before the peer's line. A peer that sends much states
 * in its request packets when the last packet arrived (id 6), and round trips and delivery rates are measured without the delay: they
 * show the way to the peer, not the way back. The idea is that of QUIC's receive timestamps (draft-smith-quic-receive-ts). Pure; times
 * are ms.
 */
import type { Arrival } from '../../packet/net-crypto-request.js';
import { RecentMin } from '../congestion/recent-min.js';
import type { Rtt } from '../congestion/rtt.js';

const US_PER_MS = 1000;

export class AckTime {
  readonly #rtt: Pick<Rtt, 'min' | 'isKnown'>;
  /** The smallest difference between the peer's clock when a packet arrived and ours when it was sent. */
  readonly #smallest = new RecentMin();
  /** The last arrival, µs of the peer's clock as in its packet, and ms without wraps. */
  #time = 0;
  #arrivedAt = 0;
  #isDelayed = false;
  /** When the last ack would have come without a delay. */
  #ackedAt = Number.NEGATIVE_INFINITY;

  constructor(rtt: Pick<Rtt, 'min' | 'isKnown'>) {
    this.#rtt = rtt;
  }

  /** Whether acks wait behind the peer's data. Then those that its data packets carry do not count, since they state no arrival. */
  get isDelayed(): boolean {
    return this.#isDelayed;
  }

  /** A request packet arrived. @returns by how much the peer's data delayed it */
  onRequest(arrival: Arrival | undefined, now: number): number {
    this.#isDelayed = arrival?.isSending ?? false;
    if (arrival === undefined) return 0;
    this.#arrivedAt += ((arrival.time - this.#time) | 0) / US_PER_MS;
    this.#time = arrival.time;
    const known = this.#smallest.value;
    if (!this.#isDelayed || !this.#rtt.isKnown || known === Number.POSITIVE_INFINITY) return 0;
    this.#ackedAt = Math.min(now, Math.max(this.#ackedAt, this.#arrivedAt - known + this.#rtt.min));
    return now - this.#ackedAt;
  }

  /** The last arrival was that of a packet sent at this time. */
  onDelivered(sentAt: number, now: number): void {
    this.#smallest.add(this.#arrivedAt - sentAt, now);
  }
}
