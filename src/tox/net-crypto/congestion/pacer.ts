/** Spreads packets over time at the pacing rate, in small bursts (RFC 9002, 7.7). Pure; times are ms. */

/**
 * A late timer catches up on this many ms, in a burst of at most this many bytes. The minimum is for slow paths, where a burst
 * follows a wait for the window; it is below the 10 packets that RFC 9002 allows.
 */
const BURST_SPAN = 4;
const MIN_BURST = 8 * 1428;
const MAX_BURST = 512 * 1024;
/** ms between bursts; timers are no finer. */
export const BURST_INTERVAL = 1;

export class Pacer {
  /** Bytes that may be sent now; negative after a packet larger than the remainder. */
  #budget = 0;
  #budgetAt = Number.NEGATIVE_INFINITY;

  /** @param rate bytes per ms */
  refill(rate: number, now: number): void {
    const most = Math.min(MAX_BURST, Math.max(MIN_BURST, rate * BURST_SPAN));
    this.#budget = Math.min(most, this.#budget + rate * (now - this.#budgetAt));
    this.#budgetAt = now;
  }

  /** Sets no limit until the next refill, since the route sets the pace. */
  lift(now: number): void {
    this.#budget = Number.MAX_SAFE_INTEGER;
    this.#budgetAt = now;
  }

  get maySend(): boolean {
    return this.#budget > 0;
  }

  /** @param size bytes on the wire */
  onSent(size: number): void {
    this.#budget -= size;
  }

  /** Returns ms until the next burst. @param rate bytes per ms */
  pause(rate: number): number {
    return Math.max(BURST_INTERVAL, -this.#budget / rate);
  }
}
