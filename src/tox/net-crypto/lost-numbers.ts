/** Numbers of packets that were reported missing, in the order of the reports. */

/** Entries that are done with before the list is moved together. */
const COMPACTION = 4096;
/**
 * Entries from which on each number is kept once. What is sent again out of turn, and lost again, is added again, as
 * often as the peer likes while another one is first; no more numbers than a quarter of this many are lost at a time.
 */
const MAX_ENTRIES = 65_536;

export class LostNumbers {
  #numbers: number[] = [];
  #at = 0;

  add(number: number): void {
    this.#numbers.push(number);
    if (this.#numbers.length < MAX_ENTRIES) return;
    this.#numbers = [...new Set(this.#numbers.slice(this.#at))];
    this.#at = 0;
  }

  /** Entries, those that are done with included. */
  get length(): number {
    return this.#numbers.length;
  }

  /** The first that is lost still; those before it are forgotten. */
  first(isLost: (number: number) => boolean): number | undefined {
    while (this.#at < this.#numbers.length) {
      const number = this.#numbers[this.#at] as number;
      if (isLost(number)) return number;
      this.#at += 1;
      if (this.#at === COMPACTION) {
        this.#numbers.splice(0, this.#at);
        this.#at = 0;
      }
    }
    this.clear();
    return undefined;
  }

  clear(): void {
    this.#numbers.length = 0;
    this.#at = 0;
  }
}
