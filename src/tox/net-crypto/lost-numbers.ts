/** Numbers of packets that were reported missing, in the order of the reports. */

/** Implementation: entries that are done with before the list is moved together. */
const COMPACTION = 4096;

export class LostNumbers {
  #numbers: number[] = [];
  #at = 0;

  add(number: number): void {
    this.#numbers.push(number);
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
