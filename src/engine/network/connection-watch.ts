/**
 * Logs how a friend is reached while it is connected: each change of the path with its reason, and a summary every minute. It checks
 * once a second, because some reasons depend on time: what was tried long enough has failed.
 */
import type { Clock, Timer } from '../../base/clock.js';
import type { Logger } from '../../base/logger.js';
import { TokenBucket } from '../../base/token-bucket.js';
import type { ConnectionFacts, ConnectionPath } from '../../tox/connection-facts.js';
import { errorText, pathText, summaryText } from './connection-text.js';

/** ms between checks, and checks between summaries. */
const CHECK_INTERVAL = 1_000;
const CHECKS_PER_SUMMARY = 60;
/** Changes logged above debug level, at once and per second: a path that flaps must not fill the log. */
const CHANGE_BURST = 4;
const CHANGE_RATE = 1 / 60;

interface Deps {
  readonly clock: Clock;
  readonly log: Logger;
  readonly friend: { readonly path: ConnectionPath; readonly facts: ConnectionFacts };
  /** Returns the friend's name for the log. */
  readonly nameNow: () => string;
}

export class ConnectionWatch {
  readonly #deps: Deps;
  readonly #news: 'info' | 'debug';
  readonly #limit: TokenBucket;
  #timer: Timer | undefined;
  #checks = 0;
  #lastPath: ConnectionPath | undefined;

  /** @param options.news the level for a change between direct and relayed, or for a reason that has become certain */
  constructor(deps: Deps, options: { readonly news: 'info' | 'debug' }) {
    this.#deps = deps;
    this.#news = options.news;
    this.#limit = new TokenBucket(CHANGE_RATE, CHANGE_BURST, deps.clock.now());
  }

  /** Starts when the friend has connected and its path has been logged. */
  begin(): void {
    this.#timer?.cancel();
    this.#checks = 0;
    this.#lastPath = this.#deps.friend.path;
    this.#timer = this.#deps.clock.every(CHECK_INTERVAL, () => this.#check());
  }

  /** Logs a last summary when the friend has disconnected. */
  end(): void {
    if (this.#timer === undefined) return;
    this.#timer.cancel();
    this.#timer = undefined;
    const { facts } = this.#deps.friend;
    // The path is unknown already, the other facts are of the ended connection; an older error did not end it.
    const { path: _, ...rest } = facts;
    const path = this.#lastPath ?? facts.path;
    const isError = facts.lastError !== undefined && facts.lastError.age < CHECK_INTERVAL;
    this.#debug(`ended${isError ? errorText(facts) : ''}, last ${summaryText({ ...rest, path })}`);
  }

  #check(): void {
    const { friend } = this.#deps;
    const before = this.#lastPath;
    const now = friend.path;
    this.#lastPath = now;
    this.#checks += 1;
    if (before !== undefined && pathText(before) !== pathText(now)) this.#logChange(before, now);
    if (this.#checks % CHECKS_PER_SUMMARY === 0) this.#debug(summaryText(friend.facts));
  }

  #logChange(before: ConnectionPath, now: ConnectionPath): void {
    const { clock, log, nameNow } = this.#deps;
    const level = isNews(before, now) && this.#limit.take(clock.now()) ? this.#news : 'debug';
    log[level](`${nameNow()}: now ${pathText(now)}`);
  }

  #debug(text: string): void {
    const { log, nameNow } = this.#deps;
    log.debug(`${nameNow()}: ${text}`);
  }
}

/** Another relay or another address is not news. */
function isNews(before: ConnectionPath, now: ConnectionPath): boolean {
  if (before.kind !== now.kind) return before.kind !== 'none' && now.kind !== 'none';
  return before.kind === 'relayed' && before.reason === 'being-tried';
}
