/** The traffic of the last minute, of each client and each way, made from totals that arrive about once a second; and its sparkline. */

/** Samples of a second each. */
const SECONDS = 60;
const SECOND = 1_000;
const BARS = ' ▁▂▃▄▅▆▇█';
/** Bytes per second of a full bar at least, so that a few packets do not look like a transfer. */
const FULL = 8_192;

export interface Totals {
  /** Bytes. */
  readonly received: number;
  readonly sent: number;
}

/** Bytes per second, oldest first; at most 60. */
export interface Rates {
  readonly received: readonly number[];
  readonly sent: readonly number[];
}

interface Series {
  totals: Totals;
  /** ms of the clock. */
  at: number;
  readonly received: number[];
  readonly sent: number[];
}

export const NO_RATES: Rates = { received: [], sent: [] };

export class TrafficHistory {
  readonly #series = new Map<string, Series>();

  /**
   * Adds the totals of all that there is now, and forgets what is gone.
   * @param all by id
   * @param now ms of the clock
   */
  add(all: ReadonlyMap<string, Totals>, now: number): void {
    for (const id of this.#series.keys()) if (!all.has(id)) this.#series.delete(id);
    for (const [id, totals] of all) {
      const series = this.#series.get(id);
      if (series === undefined) this.#series.set(id, { totals, at: now, received: [], sent: [] });
      else extend(series, totals, now);
    }
  }

  ratesOf(id: string): Rates {
    return this.#series.get(id) ?? NO_RATES;
  }

  /** Bytes within the minute, both ways. */
  trafficOf(id: string): number {
    const { received, sent } = this.ratesOf(id);
    return sum(received) + sum(sent);
  }
}

/** A list that was left out counts for the seconds before it too; totals that fell begin at 0 again. */
function extend(series: Series, totals: Totals, now: number): void {
  const elapsed = Math.max(1, now - series.at);
  const seconds = Math.min(SECONDS, Math.max(1, Math.round(elapsed / SECOND)));
  for (const way of ['received', 'sent'] as const) {
    const bytes = totals[way] - series.totals[way];
    const rate = ((bytes < 0 ? totals[way] : bytes) * SECOND) / elapsed;
    for (let count = 0; count < seconds; count += 1) series[way].push(rate);
    series[way].splice(0, Math.max(0, series[way].length - SECONDS));
  }
  series.totals = totals;
  series.at = now;
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0);

/** Returns the rate that a full bar stands for: the same both ways, so that they can be compared. */
export const fullBar = ({ received, sent }: Rates): number => Math.max(FULL, ...received, ...sent);

/** Returns bars of a minute, the latest second last. Each is as high as the highest of its samples. @param width columns, 1 to 60 */
export function sparkline(rates: readonly number[], full: number, width: number): string {
  const samples = [...Array<number>(SECONDS - rates.length).fill(0), ...rates];
  return Array.from({ length: width }, (_, column) => {
    const [from, to] = [column, column + 1].map((edge) => Math.floor((edge * SECONDS) / width));
    const highest = Math.max(...samples.slice(from, to));
    return BARS[Math.min(BARS.length - 1, Math.ceil((highest / full) * (BARS.length - 1)))];
  }).join('');
}
