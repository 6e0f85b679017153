/** A log file of bounded size: a full one is renamed to `….1`, whose predecessor goes. */
import { appendFileSync, renameSync, statSync } from 'node:fs';
import { Writable } from 'node:stream';

/** Bytes of each of the two files. */
const MAX_SIZE = 512 * 1024;
const MODE = 0o600;

export class LogFile extends Writable {
  readonly #path: string;
  readonly #limit: number;
  #size: number;

  /** Nothing is created before the first line. What cannot be written is lost. */
  constructor(path: string, limit = MAX_SIZE) {
    super({ decodeStrings: true });
    this.#path = path;
    this.#limit = limit;
    this.#size = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  }

  override _write(bytes: Buffer, _encoding: BufferEncoding, done: () => void): void {
    try {
      if (this.#size > 0 && this.#size + bytes.length > this.#limit) {
        renameSync(this.#path, `${this.#path}.1`);
        this.#size = 0;
      }
      appendFileSync(this.#path, bytes, { mode: MODE });
      this.#size += bytes.length;
    } catch {
      // The disk is full or read-only, or the directory is gone: the program continues.
    }
    done();
  }
}
