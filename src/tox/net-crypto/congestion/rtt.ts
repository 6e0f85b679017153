/** Round-trip times in ms: the smallest of the last seconds, the latest, and the smoothed one with its variation (RFC 6298). */
import { RecentMin } from './recent-min.js';

/** Round trip assumed for a new connection, ms. */
const UNKNOWN = 100;
/** Least sample in ms; a coarse clock can measure 0, which cannot be a divisor. */
const SHORTEST = 0.05;

export class Rtt {
  readonly #min = new RecentMin();
  #forgetAt = Number.POSITIVE_INFINITY;
  #latest = UNKNOWN;
  #smoothed = UNKNOWN;
  #variation = UNKNOWN / 2;
  #isKnown = false;

  /** @param measured ms */
  add(measured: number, now: number): void {
    const sample = Math.max(SHORTEST, measured);
    this.#latest = sample;
    if (now >= this.#forgetAt) {
      this.#forgetAt = Number.POSITIVE_INFINITY;
      this.#min.restart(sample, now);
    } else this.#min.add(sample, now);
    if (this.#isKnown) {
      this.#variation += (Math.abs(this.#smoothed - sample) - this.#variation) / 4;
      this.#smoothed += (sample - this.#smoothed) / 8;
    } else {
      this.#smoothed = sample;
      this.#variation = sample / 2;
      this.#isKnown = true;
    }
  }

  /** The smallest round trip is measured again from `from` on, ms of the clock; until then it stays. */
  forgetMin(from: number): void {
    this.#forgetAt = from;
  }

  /** Whether a round trip was measured; before that, the other values are assumed. */
  get isKnown(): boolean {
    return this.#isKnown;
  }

  get min(): number {
    return this.#isKnown ? this.#min.value : UNKNOWN;
  }

  /** The same, but 0 before a round trip was measured. */
  get measuredMin(): number {
    return this.#isKnown ? this.#min.value : 0;
  }

  get latest(): number {
    return this.#latest;
  }

  get smoothed(): number {
    return this.#smoothed;
  }

  get variation(): number {
    return this.#variation;
  }

  /** The larger of the latest and the smoothed round trip, within which an answer is expected. */
  get recent(): number {
    return Math.max(this.#latest, this.#smoothed);
  }
}
