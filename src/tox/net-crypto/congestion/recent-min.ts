/** The smallest sample of the last seconds, since a path may change. Pure; times are ms. */

/** Samples of the last one to two such spans count. BBR's value. */
const SPAN = 10_000;

export class RecentMin {
  #current = Number.POSITIVE_INFINITY;
  #previous = Number.POSITIVE_INFINITY;
  #spanStartedAt = 0;

  add(sample: number, now: number): void {
    if (now - this.#spanStartedAt > SPAN) {
      this.#previous = this.#current;
      this.#current = sample;
      this.#spanStartedAt = now;
    }
    if (sample < this.#current) this.#current = sample;
  }

  /** Forgets all samples before this one. */
  restart(sample: number, now: number): void {
    this.#previous = sample;
    this.#current = sample;
    this.#spanStartedAt = now;
  }

  /** Infinity before the first sample. */
  get value(): number {
    return Math.min(this.#current, this.#previous);
  }
}
