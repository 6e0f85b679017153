/** Round-trip times in ms: the smallest of the last seconds, the latest, and the smoothed one with its variation (RFC 6298). */

/** ms; the smallest round trip is that of the last one to two such spans, since a path may change. BBR's value. */
const MIN_SPAN = 10_000;
/** Round trip assumed for a new connection, ms. */
const UNKNOWN = 100;
/** Least sample in ms; a coarse clock can measure 0, which cannot be a divisor. */
const SHORTEST = 0.05;

export class Rtt {
  #min = Number.POSITIVE_INFINITY;
  #previousMin = Number.POSITIVE_INFINITY;
  #spanStartedAt = 0;
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
      this.#previousMin = sample;
      this.#min = sample;
      this.#spanStartedAt = now;
    }
    if (now - this.#spanStartedAt > MIN_SPAN) {
      this.#previousMin = this.#min;
      this.#min = sample;
      this.#spanStartedAt = now;
    }
    if (sample < this.#min) this.#min = sample;
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
    return this.#isKnown ? Math.min(this.#min, this.#previousMin) : UNKNOWN;
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
