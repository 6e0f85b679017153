/** Numbers of lost packets, in the order of the reports. */

/** Finished entries before the list is compacted. */
const COMPACTION = 4096;
/**
 * Entries above which duplicates are removed. A packet that is retransmitted out of order and lost again is added again, as often
 * as the peer likes while another packet is first; at most a quarter of this many numbers are lost at a time.
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

  /** Number of entries, including finished ones. */
  get length(): number {
    return this.#numbers.length;
  }

  /** Returns the first number that is still lost; entries before it are removed. */
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
