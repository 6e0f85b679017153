/** The average time between acks, as a random moment sees it: one long pause counts for its length, not for more. */
import type { AckSample } from './ack-sample.js';

/** ms; a longer silence comes from the peer, not the path. c-toxcore acknowledges at least every 100 ms. */
const MAX_ACK_GAP = 100;
/** ms over which the gap is averaged. */
const ACK_GAP_MEMORY = 200;

export class AckGap {
  #average = 0;
  /** Undefined while nothing is in flight. */
  #lastAckAt: number | undefined;

  /** ms. */
  get average(): number {
    return this.#average;
  }

  /**
   * A peer that acknowledges everything at once leaves nothing in flight, so no ack is due until the next packet reaches it. Without
   * such gaps, a window that is too small for the peer's pauses would never grow.
   * @param smallestRtt ms
   * @param inFlight bytes still in flight after the ack
   */
  measure(sample: AckSample, smallestRtt: number, inFlight: number, now: number): void {
    const since = this.#lastAckAt ?? sample.priorDeliveredAt + smallestRtt;
    const gap = Math.min(MAX_ACK_GAP, Math.max(0, now - since));
    this.#average += (gap - this.#average) * Math.min(1, gap / ACK_GAP_MEMORY);
    this.#lastAckAt = inFlight > 0 ? now : undefined;
  }
}
