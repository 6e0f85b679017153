/** The last lines that were said, for whoever looks at the daemon later, and each new one for whoever looks on. */
import type { LogLevel } from '../base/logger.js';

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
  readonly #listeners = new Set<(record: LogRecord) => void>();

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
    for (const listener of [...this.#listeners]) listener(kept);
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
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** How many look on. */
  get followers(): number {
    return this.#listeners.size;
  }
}

const shortened = (message: string): string => `${message.slice(0, MAX_LENGTH - 1)}…`;
