/**
 * A counter that knows how fast it grew lately. It needs no timer: time is cut into slots, and a slot that is used again
 * forgets what it held.
 */

/** ms of one slot, and how many are looked at: the last 4.5 to 5 s. */
const SLOT = 500;
const SLOTS = 10;

export class RateMeter {
  readonly #slots = new Float64Array(SLOTS);
  /** The number of the latest slot, counted from 0 ms of the clock. */
  #latest = 0;
  #startedAt: number | undefined;
  #total = 0;

  get total(): number {
    return this.#total;
  }

  /** @param now ms of the clock; never runs backwards */
  add(amount: number, now: number): void {
    this.#startedAt ??= now;
    this.#turnTo(now);
    this.#slots[this.#latest % SLOTS] = (this.#slots[this.#latest % SLOTS] as number) + amount;
    this.#total += amount;
  }

  /** How much came a second, over the last seconds. */
  rate(now: number): number {
    if (this.#startedAt === undefined) return 0;
    this.#turnTo(now);
    const oldest = (this.#latest - SLOTS + 1) * SLOT;
    // What has just begun is not divided by less than one slot, which would make a flood of a single packet.
    const span = Math.max(SLOT, now - Math.max(oldest, this.#startedAt));
    return (this.#slots.reduce((sum, amount) => sum + amount, 0) * 1000) / span;
  }

  #turnTo(now: number): void {
    const slot = Math.floor(now / SLOT);
    if (slot === this.#latest) return;
    const passed = Math.min(SLOTS, slot - this.#latest);
    for (let back = 0; back < passed; back += 1) this.#slots[(slot - back) % SLOTS] = 0;
    this.#latest = slot;
  }
}
