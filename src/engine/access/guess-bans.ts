/** Bans who goes on guessing secrets although each guess costs more patience: nobody mistypes so often. */
import type { Clock } from '../../base/clock.js';
import { messageOf } from '../../base/coded-error.js';
import { type FloodLimits, FloodLog } from '../../base/flood-log.js';
import type { Logger } from '../../base/logger.js';
import { TokenBucket } from '../../base/token-bucket.js';
import type { PublicKey } from '../../tox/crypto/keys.js';

/** Implementation: different wrong secrets of one key, for which the limits make it take two minutes; and s of the ban. */
const TOO_MANY = 12;
const BAN = 60 * 60;
/** Implementation: bans a second, and at once: each is written to the disk, and keys cost nothing. */
const RATE = 0.2;
const BURST = 20;
/** Implementation: lines about them; at the rate above they would push all else out of the last lines within an hour or two. */
const LINES = { atOnce: 20, aMinute: 2 };
const LIMITS: FloodLimits = { each: LINES, all: LINES };

export interface GuessBansDeps {
  readonly clock: Clock;
  readonly log: Logger;
  /** @param until Unix time, s */
  ban(key: PublicKey, reason: string, until: number): Promise<void>;
  /** For the log. */
  nameOf(key: PublicKey): string;
  /** The same without the disk, until the process ends. */
  banInMemory(key: PublicKey, reason: string, until: number): void;
}

export class GuessBans {
  readonly #deps: GuessBansDeps;
  readonly #limit: TokenBucket;
  readonly #said: FloodLog;

  constructor(deps: GuessBansDeps) {
    this.#deps = deps;
    this.#limit = new TokenBucket(RATE, BURST, deps.clock.now());
    this.#said = new FloodLog(deps, LIMITS);
  }

  /** @param count different wrong secrets of this key so far */
  readonly onWrong = (key: PublicKey, count: number): void => {
    const { ban, clock, nameOf, banInMemory } = this.#deps;
    if (count < TOO_MANY || !this.#limit.take(clock.now())) return;
    this.#say('warn', 'key banned', `${nameOf(key)}: banned for an hour, after ${count} wrong secrets`);
    const [reason, until] = [`${count} wrong secrets`, clock.unixTime() + BAN];
    ban(key, reason, until).catch((error: unknown) => {
      this.#say('error', 'ban not saved', messageOf(error));
      banInMemory(key, reason, until);
    });
  };

  /** Says what is to be said still. */
  close(): void {
    this.#said.close();
  }

  #say(level: 'warn' | 'error', kind: string, text: string): void {
    this.#said.say({ source: '', name: 'strangers', kind, level, text });
  }
}
