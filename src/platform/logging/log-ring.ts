/** The last lines of the log, for `tuntoxctl log tail`, and each new one for followers. */
import { Listeners } from '../../base/listeners.js';
import type { LogLevel } from '../../base/logger.js';

export interface LogRecord {
  /** s since 1970. */
  readonly at: number;
  readonly level: LogLevel;
  readonly message: string;
}

/** About a day of a quiet daemon; with the longest lines 2 MB. */
const DEFAULT_CAPACITY = 1_000;
/** characters of a line; ours have a hundred or two. */
const MAX_LENGTH = 2_000;

export class LogRing {
  readonly #capacity: number;
  readonly #records: LogRecord[] = [];
  readonly #followers = new Listeners<[record: LogRecord]>();

  constructor(capacity = DEFAULT_CAPACITY) {
    this.#capacity = capacity;
  }

  add(record: LogRecord): void {
    const stored = record.message.length <= MAX_LENGTH ? record : { ...record, message: shortened(record.message) };
    this.#records.push(stored);
    if (this.#records.length > this.#capacity) this.#records.shift();
    this.#followers.tell(stored);
  }

  /** Returns the newest lines, the oldest of them first. */
  last(count: number): LogRecord[] {
    return this.#records.slice(Math.max(0, this.#records.length - count));
  }

  /** @param listener must not log anything @returns a function that ends it */
  follow(listener: (record: LogRecord) => void): () => void {
    return this.#followers.add(listener);
  }
}

const shortened = (message: string): string => `${message.slice(0, MAX_LENGTH - 1)}…`;
