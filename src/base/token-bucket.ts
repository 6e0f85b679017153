/** A rate limit: `capacity` at once, refilled with `rate` per second; `now` comes from the caller. */
export class TokenBucket {
  readonly #rate: number;
  readonly #capacity: number;
  #tokens: number;
  #filledAt: number;

  /**
   * @param rate tokens per second
   * @param capacity tokens
   * @param now ms of the clock that later calls use
   */
  constructor(rate: number, capacity: number, now: number) {
    this.#rate = rate;
    this.#capacity = capacity;
    this.#tokens = capacity;
    this.#filledAt = now;
  }

  /** Takes `count` tokens; returns false and takes none if there are fewer. */
  take(now: number, count = 1): boolean {
    this.#tokens = Math.min(this.#capacity, this.#tokens + ((now - this.#filledAt) * this.#rate) / 1000);
    this.#filledAt = now;
    if (this.#tokens < count) return false;
    this.#tokens -= count;
    return true;
  }
}
