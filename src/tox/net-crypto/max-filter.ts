/** The largest of the samples of the last 10 to 20 rounds, which are as many as BBR looks back. */

const ROUNDS = 10;
/** Implementation: ms that half the memory spans at the least; ten rounds of a path of microseconds are no time. */
const MIN_SPAN = 150;

export class MaxFilter {
  #current = 0;
  #previous = 0;
  #rounds = 0;
  #elapsed = 0;

  get max(): number {
    return Math.max(this.#current, this.#previous);
  }

  add(sample: number): void {
    if (sample > this.#current) this.#current = sample;
  }

  /** @param duration ms that the round took */
  endRound(duration: number): void {
    this.#rounds += 1;
    this.#elapsed += duration;
    // A time without samples, such as one of having little to send, is no reason to forget the ones before.
    if (this.#rounds < ROUNDS || this.#elapsed < MIN_SPAN || this.#current === 0) return;
    this.#previous = this.#current;
    this.#current = 0;
    this.#rounds = 0;
    this.#elapsed = 0;
  }
}
