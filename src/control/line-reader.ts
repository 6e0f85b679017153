/** Splits chunks of bytes into lines of bounded length: the framing of the control socket. Pure. */

const NEWLINE = 0x0a;

export class LineReader {
  readonly #limit: number;
  #partial: Buffer[] = [];
  #length = 0;

  /** @param limit bytes of a line, without its end */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** @returns the lines that the chunk completes, without empty ones; undefined when a line is too long, after which the reader is unusable */
  push(chunk: Buffer): string[] | undefined {
    const lines: string[] = [];
    let at = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, at)) {
      if (!this.#take(chunk.subarray(at, end))) return undefined;
      // Megabytes of line ends must cost nothing.
      if (this.#length > 0) {
        lines.push(Buffer.concat(this.#partial).toString());
        this.#partial = [];
        this.#length = 0;
      }
      at = end + 1;
    }
    return this.#take(chunk.subarray(at)) ? lines : undefined;
  }

  #take(part: Buffer): boolean {
    this.#length += part.length;
    if (this.#length > this.#limit) return false;
    if (part.length > 0) this.#partial.push(part);
    return true;
  }
}
