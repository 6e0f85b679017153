/** Bans clients that go on guessing secrets although each guess has to wait longer: no person mistypes so often. */
import type { Clock } from '../../base/clock.js';
import { messageOf } from '../../base/coded-error.js';
import { type FloodLimits, FloodLog } from '../../base/flood-log.js';
import type { Logger } from '../../base/logger.js';
import { TokenBucket } from '../../base/token-bucket.js';
import type { PublicKey } from '../../tox/crypto/keys.js';

/** Different wrong secrets of one key; the limits make them take two minutes. */
const MAX_GUESSES = 12;
/** s. */
const BAN_TIME = 60 * 60;
/** Bans per second, and at once: each is written to the disk, and keys cost nothing. */
const RATE = 0.2;
const BURST = 20;
/** Lines of the log about bans; at the rate above they would displace all other lines within an hour or two. */
const LINES = { atOnce: 20, aMinute: 2 };
const LIMITS: FloodLimits = { each: LINES, all: LINES };

export interface GuessBansDeps {
  readonly clock: Clock;
  readonly log: Logger;
  /** @param until Unix time, s */
  ban(key: PublicKey, reason: string, until: number): Promise<void>;
  /** Returns the client's name for the log. */
  nameOf(key: PublicKey): string;
  /** Bans without the disk, until the process ends. */
  banInMemory(key: PublicKey, reason: string, until: number): void;
}

export class GuessBans {
  readonly #deps: GuessBansDeps;
  readonly #limit: TokenBucket;
  readonly #floodLog: FloodLog;

  constructor(deps: GuessBansDeps) {
    this.#deps = deps;
    this.#limit = new TokenBucket(RATE, BURST, deps.clock.now());
    this.#floodLog = new FloodLog(deps, LIMITS);
  }

  /** @param count different wrong secrets of this key so far */
  readonly onWrong = (key: PublicKey, count: number): void => {
    const { ban, clock, nameOf, banInMemory } = this.#deps;
    if (count < MAX_GUESSES || !this.#limit.take(clock.now())) return;
    this.#report('warn', 'key banned', `${nameOf(key)}: banned for an hour, after ${count} wrong secrets`);
    const [reason, until] = [`${count} wrong secrets`, clock.unixTime() + BAN_TIME];
    ban(key, reason, until).catch((error: unknown) => {
      this.#report('error', 'ban not saved', messageOf(error));
      banInMemory(key, reason, until);
    });
  };

  /** Flushes the log. */
  close(): void {
    this.#floodLog.close();
  }

  #report(level: 'warn' | 'error', kind: string, text: string): void {
    this.#floodLog.say({ source: '', name: 'strangers', kind, level, text });
  }
}
