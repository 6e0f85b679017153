/** The last lines that were said, for whoever looks at the daemon later, and each new one for whoever looks on. */
import { Listeners } from '../../base/listeners.js';
import type { LogLevel } from '../../base/logger.js';

export interface LogRecord {
  /** s since 1970. */
  readonly at: number;
  readonly level: LogLevel;
  readonly message: string;
}

/** Implementation: about a day of a quiet daemon, and with the next one at most 2 MB. */
const USUAL_CAPACITY = 1_000;
/** Characters of a line; ours have a hundred or two. */
const MAX_LENGTH = 2_000;

export class LogRing {
  readonly #capacity: number;
  readonly #records: LogRecord[] = [];
  /** Where the oldest record is, once all places are taken. */
  #oldest = 0;
  readonly #followers = new Listeners<[record: LogRecord]>();

  constructor(capacity = USUAL_CAPACITY) {
    this.#capacity = capacity;
  }

  add(record: LogRecord): void {
    const kept = record.message.length <= MAX_LENGTH ? record : { ...record, message: shortened(record.message) };
    if (this.#records.length < this.#capacity) this.#records.push(kept);
    else {
      this.#records[this.#oldest] = kept;
      this.#oldest = (this.#oldest + 1) % this.#capacity;
    }
    this.#followers.tell(kept);
  }

  /** The newest `count`, oldest first. */
  last(count: number): LogRecord[] {
    const inOrder = [...this.#records.slice(this.#oldest), ...this.#records.slice(0, this.#oldest)];
    return inOrder.slice(Math.max(0, inOrder.length - count));
  }

  /**
   * @param listener must not say anything itself
   * @returns a function that ends it
   */
  follow(listener: (record: LogRecord) => void): () => void {
    return this.#followers.add(listener);
  }
}

const shortened = (message: string): string => `${message.slice(0, MAX_LENGTH - 1)}…`;
