/**
 * Limits how fast a key can guess secrets. A few wrong ones are free, because people mistype; after each further one the key has to
 * wait longer until its requests are checked again. Each wrong secret counts once, however often it is received: a node that stored
 * a request can send it again, but cannot make a new one with that key.
 */
import { LruMap } from '../../base/lru-map.js';

/** Different wrong secrets before a key has to wait. */
const FREE_GUESSES = 5;
/** ms; doubled with each further wrong one. */
const FIRST_WAIT = 1_000;
const LONGEST_WAIT = 5 * 60_000;
/** ms without a new wrong secret after which the record of a key is dropped. */
const MEMORY = 60 * 60_000;
/** Keys remembered: some 700 KB. A client that makes a new key for each guess meets the limit on all guesses instead. */
const MAX_KEYS = 1_024;
/** Digests remembered of each key: the bans of a daemon need no more. */
const MAX_DIGESTS = 12;

/**
 * - `same-again`: a wrong secret that this key has sent before
 * - `blocked`: the key has to wait
 * - `fresh`: the secret has to be checked
 */
export type Standing = 'fresh' | 'same-again' | 'blocked';

interface KeyRecord {
  /** Digests of the wrong secrets, the latest last. */
  readonly digests: readonly Buffer[];
  readonly lastAt: number;
  readonly wrongCount: number;
}

export class GuessLimiter {
  readonly #records = new LruMap<string, KeyRecord>(MAX_KEYS);

  /** @param digest of the secret that was sent @param now ms */
  standing(key: string, digest: Buffer, now: number): Standing {
    const record = this.#find(key, now);
    if (record === undefined) return 'fresh';
    // A comparison in constant time is not needed: the sender knows what it sent before.
    if (record.digests.some((wrong) => wrong.equals(digest))) return 'same-again';
    return now < record.lastAt + wait(record.wrongCount) ? 'blocked' : 'fresh';
  }

  /** Notes a new wrong secret. @returns how many different ones this key has sent */
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

  #find(key: string, now: number): KeyRecord | undefined {
    const record = this.#records.get(key);
    return record !== undefined && now < record.lastAt + MEMORY ? record : undefined;
  }
}

/** Returns the ms that a key has to wait after so many wrong secrets. */
function wait(wrongCount: number): number {
  if (wrongCount < FREE_GUESSES) return 0;
  return Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** (wrongCount - FREE_GUESSES));
}
