/** Counts refusals by reason: since the start, and within the last 24 hours by the hour, so that a refusal costs nothing. */
import type { Clock } from '../../base/clock.js';

/** ms. */
const HOUR = 3_600_000;
const HOURS = 24;

type Counts = Readonly<Record<string, number>>;

export interface Refusals {
  /** Since the start. */
  readonly total: Counts;
  /** Within 24 hours. */
  readonly lastDay: Counts;
}

export class RefusalCounts implements Refusals {
  readonly #clock: Clock;
  readonly #total = new Map<string, number>();
  /** By hour of the clock; only the last 24. */
  readonly #hours = new Map<number, Map<string, number>>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  add(reason: string): void {
    const hour = this.#expire();
    const counts = this.#hours.get(hour) ?? new Map<string, number>();
    this.#hours.set(hour, counts);
    for (const all of [counts, this.#total]) all.set(reason, (all.get(reason) ?? 0) + 1);
  }

  get total(): Counts {
    return Object.fromEntries(this.#total);
  }

  get lastDay(): Counts {
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
