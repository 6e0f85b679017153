/**
 * What the log says of others, who may cause as many lines as they like. Each has some lines at once, and some more a minute;
 * whoever causes more is summed up in a line a minute, until a minute had no more than that. So a flood costs what it did at
 * first and then next to nothing, and silences nobody else; only a crowd can have the lines of others summed up too. What is left out is told to those who debug.
 */
import type { Clock } from './clock.js';
import type { Logger } from './logger.js';
import { LruMap } from './lru-map.js';
import { Repeater } from './repeater.js';
import { TokenBucket } from './token-bucket.js';

/** Implementation: ms from one sum to the next. */
const MINUTE = 60_000;
/** Implementation: budgets that are remembered; who is forgotten has a new one, out of what all have together. */
const MAX_BUDGETS = 1_024;
/** Implementation: who is summed up by name; a crowd beyond that shares a line. */
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
 * Implementation: a hundred tunnels that are opened and end, then ten a minute. At once that is a fifth of the lines that are
 * kept for `log tail`, and all together may fill half of it: keys cost nothing where a secret is known or the door is open.
 */
const OF_PEERS: FloodLimits = { each: { atOnce: 200, aMinute: 20 }, all: { atOnce: 500, aMinute: 200 } };

/** The less serious first. */
const LEVELS = ['info', 'warn', 'error'] as const;
type Level = (typeof LEVELS)[number];

export interface FloodLine {
  /** Who causes it: has the budget. */
  readonly source: string;
  /** What the sum calls the source. */
  readonly name: string;
  /** What the sum counts, as in `tunnel opened`: the first word gets the plural. One of a few. */
  readonly kind: string;
  readonly level: Level;
  /** The whole line. */
  readonly text: string;
}

interface Sum {
  readonly name: string;
  /** The most serious of what it counts. */
  level: Level;
  /** By kind; since the last sum. */
  readonly counts: Map<string, number>;
}

export class FloodLog {
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #each: LineBudget;
  readonly #all: TokenBucket;
  readonly #budgets = new LruMap<string, TokenBucket>(MAX_BUDGETS);
  /** By source: who is summed up at present. */
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
    if (sum === undefined && this.#mayBeSaid(line.source)) {
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

  /** Says what is to be said still; nothing is summed up any more. */
  close(): void {
    this.#isClosed = true;
    this.#minutes.stop();
    this.#sumUp();
  }

  #mayBeSaid(source: string): boolean {
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
