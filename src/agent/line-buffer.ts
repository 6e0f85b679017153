/** Collects one line after another, up to a limit; what follows the last wanted line is handed on as it is. */
export class LineBuffer {
  readonly #limit: number;
  #bytes: Buffer = Buffer.alloc(0);

  /** @param limit bytes of a line with its newline */
  constructor(limit: number) {
    this.#limit = limit;
  }

  push(bytes: Buffer): void {
    this.#bytes = this.#bytes.length === 0 ? bytes : Buffer.concat([this.#bytes, bytes]);
  }

  /** @returns the next line, without its newline; undefined while it is not there yet */
  next(): string | undefined {
    const end = this.#bytes.indexOf('\n');
    if (end < 0) return undefined;
    const line = this.#bytes.toString('utf8', 0, end);
    this.#bytes = this.#bytes.subarray(end + 1);
    return line;
  }

  /** Whether no further line can come within the limit. */
  get isFull(): boolean {
    return this.#bytes.length >= this.#limit;
  }

  /** Returns what is there, and forgets it. */
  takeRest(): Buffer {
    const rest = this.#bytes;
    this.#bytes = Buffer.alloc(0);
    return rest;
  }
}
