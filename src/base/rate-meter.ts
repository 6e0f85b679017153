/**
 * A counter with its recent rate. It needs no timer: time is divided into slots, and a slot that is reused starts at 0.
 */

/** ms of a slot, and the number of slots: the last 4.5 to 5 s. */
const SLOT = 500;
const SLOTS = 10;

export class RateMeter {
  readonly #slots = new Float64Array(SLOTS);
  /** The number of the latest slot, counted from 0 ms of the clock, its end, and its amount so far. */
  #latest = 0;
  #latestEnds = SLOT;
  #amount = 0;
  #startedAt: number | undefined;
  #total = 0;

  get total(): number {
    return this.#total;
  }

  /** Called for each packet. @param now ms of the clock; never decreases */
  add(amount: number, now: number): void {
    if (now >= this.#latestEnds) this.#turnTo(now);
    this.#startedAt ??= now;
    this.#amount += amount;
    this.#total += amount;
  }

  /** Returns the amount per second, over the last seconds. */
  rate(now: number): number {
    if (this.#startedAt === undefined) return 0;
    if (now >= this.#latestEnds) this.#turnTo(now);
    const oldest = (this.#latest - SLOTS + 1) * SLOT;
    // At the start the span is at least one slot: otherwise a single packet would look like a flood.
    const span = Math.max(SLOT, now - Math.max(oldest, this.#startedAt));
    return (this.#slots.reduce((sum, amount) => sum + amount, this.#amount) * 1000) / span;
  }

  /** The latest slot of the ring is empty: its amount is in `#amount`. */
  #turnTo(now: number): void {
    const slot = Math.floor(now / SLOT);
    this.#slots[this.#latest % SLOTS] = this.#amount;
    const passed = Math.min(SLOTS, slot - this.#latest);
    for (let back = 0; back < passed; back += 1) this.#slots[(slot - back) % SLOTS] = 0;
    this.#latest = slot;
    this.#latestEnds = (slot + 1) * SLOT;
    this.#amount = 0;
  }
}
