/** How often somebody was refused within the last 24 hours, and why: a count for each hour, so that it costs nothing. */
import type { Clock } from '../../base/clock.js';

/** ms. */
const HOUR = 3_600_000;
const HOURS = 24;

export class RefusalCounts {
  readonly #clock: Clock;
  /** By hour of the clock; no more than the last ones. */
  readonly #hours = new Map<number, Map<string, number>>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  add(reason: string): void {
    const hour = this.#expire();
    const counts = this.#hours.get(hour) ?? new Map<string, number>();
    this.#hours.set(hour, counts);
    counts.set(reason, (counts.get(reason) ?? 0) + 1);
  }

  get lastDay(): Readonly<Record<string, number>> {
    this.#expire();
    const sums: Record<string, number> = {};
    for (const counts of this.#hours.values()) {
      for (const [reason, count] of counts) sums[reason] = (sums[reason] ?? 0) + count;
    }
    return sums;
  }

  #expire(): number {
    const hour = Math.floor(this.#clock.now() / HOUR);
    for (const old of this.#hours.keys()) if (old <= hour - HOURS) this.#hours.delete(old);
    return hour;
  }
}
