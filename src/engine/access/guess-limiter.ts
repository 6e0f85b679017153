/**
 * Slows down who tries one secret after another under the same key. Some wrong ones are free, for people mistype; each
 * further one makes the key wait longer before anything from it is looked at again.
 */
import { LruMap } from '../../base/lru-map.js';

/** Different wrong secrets before a key has to wait. */
const FREE_GUESSES = 5;
/** ms; doubled with each further wrong one. */
const FIRST_WAIT = 1_000;
const LONGEST_WAIT = 5 * 60_000;
/** ms without a wrong one after which all is forgiven. */
const MEMORY = 60 * 60_000;
/** Keys remembered: some 300 KB. Who makes new keys for each guess meets the limit on all guesses instead. */
const MAX_KEYS = 1_024;

/**
 * - `same-again`: the last wrong secret of this key once more
 * - `blocked`: the key has to wait
 * - `fresh`: have a look at it
 */
export type Standing = 'fresh' | 'same-again' | 'blocked';

interface Record {
  readonly lastDigest: Buffer;
  readonly lastAt: number;
  readonly wrongCount: number;
}

export class GuessLimiter {
  readonly #records = new LruMap<string, Record>(MAX_KEYS);

  /** @param digest of the secret that came; @param now ms */
  standing(key: string, digest: Buffer, now: number): Standing {
    const record = this.#find(key, now);
    if (record === undefined) return 'fresh';
    // It need not be compared in constant time: the sender knows what it sent before.
    if (record.lastDigest.equals(digest)) return 'same-again';
    return now < record.lastAt + wait(record.wrongCount) ? 'blocked' : 'fresh';
  }

  /** @returns how many different ones of this key were wrong */
  onWrong(key: string, digest: Buffer, now: number): number {
    const wrongCount = (this.#find(key, now)?.wrongCount ?? 0) + 1;
    this.#records.set(key, { lastDigest: digest, lastAt: now, wrongCount });
    return wrongCount;
  }

  forget(key: string): void {
    this.#records.delete(key);
  }

  #find(key: string, now: number): Record | undefined {
    const record = this.#records.get(key);
    return record !== undefined && now < record.lastAt + MEMORY ? record : undefined;
  }
}

/** ms that a key has to wait after so many wrong secrets. */
function wait(wrongCount: number): number {
  if (wrongCount < FREE_GUESSES) return 0;
  return Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** (wrongCount - FREE_GUESSES));
}
