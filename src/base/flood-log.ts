/**
 * Limits the log lines that peers cause. Each source has some lines at once, and some more per minute; beyond that it gets one summary
 * line per minute, until it is within its limit again. So a flood cannot hide the lines of others; only many sources together can.
 * Omitted lines are logged as debug messages.
 */
import type { Clock } from './clock.js';
import type { Logger } from './logger.js';
import { LruMap } from './lru-map.js';
import { Repeater } from './repeater.js';
import { TokenBucket } from './token-bucket.js';

/** ms between summaries. */
const MINUTE = 60_000;
/** Budgets that are kept; a forgotten source gets a new one, within the limit of all. */
const MAX_BUDGETS = 1_024;
/** Sources with a summary of their own; others share one. */
const MAX_SUMS = 32;
const CROWD = 'others';

/** Lines. */
export interface LineBudget {
  readonly atOnce: number;
  readonly aMinute: number;
}

export interface FloodLimits {
  readonly each: LineBudget;
  readonly all: LineBudget;
}

/**
 * A hundred tunnels that open and close, then ten per minute. That is a fifth of the lines for `log tail`; all sources together may
 * fill half of it, because a client can have any number of keys.
 */
const OF_PEERS: FloodLimits = { each: { atOnce: 200, aMinute: 20 }, all: { atOnce: 500, aMinute: 200 } };

/** The least severe first. */
const LEVELS = ['info', 'warn', 'error'] as const;
type Level = (typeof LEVELS)[number];

export interface FloodLine {
  /** The peer that has the budget. */
  readonly source: string;
  /** The name of the source in a summary. */
  readonly name: string;
  /** What a summary counts, such as `tunnel opened`: the first word gets the plural. There are few kinds. */
  readonly kind: string;
  readonly level: Level;
  /** The whole line. */
  readonly text: string;
}

interface Sum {
  readonly name: string;
  /** The most severe level of the counted lines. */
  level: Level;
  /** By kind, since the last summary. */
  readonly counts: Map<string, number>;
}

export class FloodLog {
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #each: LineBudget;
  readonly #all: TokenBucket;
  readonly #budgets = new LruMap<string, TokenBucket>(MAX_BUDGETS);
  /** By source. */
  readonly #sums = new Map<string, Sum>();
  readonly #minutes: Repeater;
  #summedAt = 0;
  #isClosed = false;

  constructor(deps: { readonly clock: Clock; readonly log: Logger }, limits = OF_PEERS) {
    this.#clock = deps.clock;
    this.#log = deps.log;
    this.#each = limits.each;
    this.#all = bucketOf(limits.all, deps.clock.now());
    this.#minutes = new Repeater(deps.clock, [MINUTE], () => this.#sumUp());
  }

  say(line: FloodLine): void {
    const sum = this.#sums.get(line.source);
    if (sum === undefined && this.#isWithinLimits(line.source)) {
      this.#log[line.level](line.text);
      return;
    }
    this.#log.debug(line.text);
    if (this.#isClosed) return;
    const counting = sum ?? this.#begin(line);
    const { counts } = counting;
    counts.set(line.kind, (counts.get(line.kind) ?? 0) + 1);
    if (LEVELS.indexOf(line.level) > LEVELS.indexOf(counting.level)) counting.level = line.level;
  }

  /** Writes pending summaries and stops. */
  close(): void {
    this.#isClosed = true;
    this.#minutes.stop();
    this.#sumUp();
  }

  #isWithinLimits(source: string): boolean {
    const now = this.#clock.now();
    let budget = this.#budgets.get(source);
    if (budget === undefined) {
      budget = bucketOf(this.#each, now);
      this.#budgets.set(source, budget);
    }
    return budget.take(now) && this.#all.take(now);
  }

  #begin({ source, name, level }: FloodLine): Sum {
    if (!this.#minutes.isRunning) this.#summedAt = this.#clock.now();
    this.#minutes.start();
    const isCrowd = this.#sums.size >= MAX_SUMS;
    const key = isCrowd ? CROWD : source;
    const sum = this.#sums.get(key) ?? { name: isCrowd ? CROWD : name, level, counts: new Map() };
    this.#sums.set(key, sum);
    return sum;
  }

  #sumUp(): void {
    const now = this.#clock.now();
    const time = now - this.#summedAt >= MINUTE ? 'minute' : `${Math.ceil((now - this.#summedAt) / 1_000)} s`;
    this.#summedAt = now;
    for (const [source, { name, level, counts }] of this.#sums) {
      const count = [...counts.values()].reduce((sum, one) => sum + one, 0);
      if (count > 0) this.#log[level](`${name}: in the last ${time} also ${countsText(counts)}`);
      counts.clear();
      if (count <= this.#each.aMinute) this.#sums.delete(source);
    }
    if (this.#sums.size === 0) this.#minutes.stop();
  }
}

const bucketOf = ({ atOnce, aMinute }: LineBudget, now: number): TokenBucket =>
  new TokenBucket((aMinute * 1_000) / MINUTE, atOnce, now);

/** `431 tunnels opened, 1 request refused`. */
function countsText(counts: ReadonlyMap<string, number>): string {
  const texts = [...counts].map(([kind, count]) => `${count} ${count === 1 ? kind : kind.replace(/^\w+/, '$&s')}`);
  return texts.join(', ');
}
