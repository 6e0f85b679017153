/** The largest of the samples of the last 10 to 20 rounds, as in BBR. */

const ROUNDS = 10;
/** Least span in ms of half the memory; ten rounds of a path of microseconds are too short. */
const MIN_SPAN = 150;

export class MaxFilter {
  #current = 0;
  #previous = 0;
  #rounds = 0;
  #elapsed = 0;
  #hasSample = false;

  get max(): number {
    return Math.max(this.#current, this.#previous);
  }

  add(sample: number): void {
    this.#hasSample = true;
    if (sample > this.#current) this.#current = sample;
  }

  /** Ages the samples by half the memory; the older half is dropped. */
  age(): void {
    this.#previous = this.#current;
    this.#current = 0;
    this.#rounds = 0;
    this.#elapsed = 0;
  }

  /** @param duration ms that the round took */
  endRound(duration: number): void {
    // A round without samples, such as an app-limited one, does not age earlier samples.
    if (!this.#hasSample) return;
    this.#hasSample = false;
    this.#rounds += 1;
    this.#elapsed += duration;
    if (this.#rounds < ROUNDS || this.#elapsed < MIN_SPAN) return;
    this.age();
  }
}
