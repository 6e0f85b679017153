/**
 * Slows down who tries one secret after another under the same key. Some wrong ones are free, for people mistype; each
 * further one makes the key wait longer before anything from it is looked at again. Each wrong one counts once, however often
 * it comes: a node that stored a request of somebody can send it again, but cannot make another one in that name.
 */
import { LruMap } from '../../base/lru-map.js';

/** Different wrong secrets before a key has to wait. */
const FREE_GUESSES = 5;
/** ms; doubled with each further wrong one. */
const FIRST_WAIT = 1_000;
const LONGEST_WAIT = 5 * 60_000;
/** ms without a new wrong one after which all is forgiven. */
const MEMORY = 60 * 60_000;
/** Keys remembered: some 700 KB. Who makes new keys for each guess meets the limit on all guesses instead. */
const MAX_KEYS = 1_024;
/** Digests remembered of each key: the bans of a daemon need no more. */
const MAX_DIGESTS = 12;

/**
 * - `same-again`: one of the wrong secrets of this key once more
 * - `blocked`: the key has to wait
 * - `fresh`: have a look at it
 */
export type Standing = 'fresh' | 'same-again' | 'blocked';

interface Record {
  /** Of what was wrong, the newest one last. */
  readonly digests: readonly Buffer[];
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
    if (record.digests.some((wrong) => wrong.equals(digest))) return 'same-again';
    return now < record.lastAt + wait(record.wrongCount) ? 'blocked' : 'fresh';
  }

  /** A new one was wrong. @returns how many different ones of this key were */
  onWrong(key: string, digest: Buffer, now: number): number {
    const record = this.#find(key, now);
    const wrongCount = (record?.wrongCount ?? 0) + 1;
    const digests = [...(record?.digests ?? []), digest].slice(-MAX_DIGESTS);
    this.#records.set(key, { digests, lastAt: now, wrongCount });
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
