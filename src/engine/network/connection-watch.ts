/**
 * Tells in the log how a friend is reached while it is: each change of the path with its reason, and now and then a summary.
 * It looks once a second, for some reasons are a matter of time: what was tried long enough has failed.
 */
import type { Clock, Timer } from '../../base/clock.js';
import type { Logger } from '../../base/logger.js';
import { TokenBucket } from '../../base/token-bucket.js';
import type { ConnectionFacts, ConnectionPath } from '../../tox/connection-facts.js';
import { errorText, pathText, summaryText } from './connection-text.js';

/** ms between looks, and looks between summaries. */
const LOOK_INTERVAL = 1_000;
const LOOKS_OF_SUMMARY = 60;
/** Changes that are news: so many at once, and one each minute; a path that flaps is for those who debug. */
const NEWS_BURST = 4;
const NEWS_RATE = 1 / 60;

interface Deps {
  readonly clock: Clock;
  readonly log: Logger;
  readonly friend: { readonly path: ConnectionPath; readonly facts: ConnectionFacts };
  /** What the friend is called in the log. */
  readonly nameNow: () => string;
}

export class ConnectionWatch {
  readonly #deps: Deps;
  readonly #news: 'info' | 'debug';
  readonly #newsLimit: TokenBucket;
  #timer: Timer | undefined;
  #looks = 0;
  #seen: ConnectionPath | undefined;

  /** @param options.news the level of a change between direct and relayed, or of a reason that has become certain */
  constructor(deps: Deps, options: { readonly news: 'info' | 'debug' }) {
    this.#deps = deps;
    this.#news = options.news;
    this.#newsLimit = new TokenBucket(NEWS_RATE, NEWS_BURST, deps.clock.now());
  }

  /** The friend is there, and its path has been told. */
  begin(): void {
    this.#timer?.cancel();
    this.#looks = 0;
    this.#seen = this.#deps.friend.path;
    this.#timer = this.#deps.clock.every(LOOK_INTERVAL, () => this.#look());
  }

  /** It is gone: tells how it went. */
  end(): void {
    if (this.#timer === undefined) return;
    this.#timer.cancel();
    this.#timer = undefined;
    const { facts } = this.#deps.friend;
    // The path is of the past already, the rest is of the connection that has ended; an older error did not end it.
    const { path: _, ...rest } = facts;
    const path = this.#seen ?? facts.path;
    const isError = facts.lastError !== undefined && facts.lastError.age < LOOK_INTERVAL;
    this.#debug(`ended${isError ? errorText(facts) : ''}, last ${summaryText({ ...rest, path })}`);
  }

  #look(): void {
    const { friend } = this.#deps;
    const before = this.#seen;
    const now = friend.path;
    this.#seen = now;
    this.#looks += 1;
    if (before !== undefined && pathText(before) !== pathText(now)) this.#tellChange(before, now);
    if (this.#looks % LOOKS_OF_SUMMARY === 0) this.#debug(summaryText(friend.facts));
  }

  #tellChange(before: ConnectionPath, now: ConnectionPath): void {
    const { clock, log, nameNow } = this.#deps;
    const level = isNews(before, now) && this.#newsLimit.take(clock.now()) ? this.#news : 'debug';
    log[level](`${nameNow()}: now ${pathText(now)}`);
  }

  #debug(text: string): void {
    const { log, nameNow } = this.#deps;
    log.debug(`${nameNow()}: ${text}`);
  }
}

/** Another relay, or another address, is none. */
function isNews(before: ConnectionPath, now: ConnectionPath): boolean {
  if (before.kind !== now.kind) return before.kind !== 'none' && now.kind !== 'none';
  return before.kind === 'relayed' && before.reason === 'being-tried';
}
