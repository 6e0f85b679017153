/** The largest of the samples of the last 10 to 20 rounds, which are as many as BBR looks back. */

const ROUNDS = 10;
/** ms that half the memory spans at the least; ten rounds of a path of microseconds are no time. */
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

  /** What was seen so far hardly holds any more: it is half as old as it may become, or gone. */
  age(): void {
    this.#previous = this.#current;
    this.#current = 0;
    this.#rounds = 0;
    this.#elapsed = 0;
  }

  /** @param duration ms that the round took */
  endRound(duration: number): void {
    // A round without samples, such as one of having little to send, is no reason to forget the ones before.
    if (!this.#hasSample) return;
    this.#hasSample = false;
    this.#rounds += 1;
    this.#elapsed += duration;
    if (this.#rounds < ROUNDS || this.#elapsed < MIN_SPAN) return;
    this.age();
  }
}
