/** One line at the end of a terminal that is rewritten in place; what else is written there goes above it. */
import { Writable } from 'node:stream';
import { betweenWords } from '../base/columns.js';

/** The part of a terminal that is used. */
export interface Terminal {
  readonly columns?: number;
  write(text: string): unknown;
}

/** The size of a terminal that does not report it. */
const DEFAULT_COLUMNS = 80;
/** ANSI: to the start of the line, and: erase from here to the end of the line. */
const START = '\r';
const ERASE = '\x1b[K';

export class StatusLine {
  readonly #terminal: Terminal;
  /** What stands there; empty for nothing. */
  #text = '';
  #isOver = false;
  /** For what else goes to this terminal, in whole lines. */
  readonly stream: Writable;

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
    this.stream = new Writable({
      decodeStrings: false,
      write: (lines: string, _encoding, done) => {
        this.#above(String(lines));
        done();
      },
    });
  }

  /** Shows a text without control characters, cut to the width of the terminal. */
  show(text: string): void {
    if (this.#isOver) return;
    this.#text = text;
    this.#draw();
  }

  /** Leaves an empty line, with the cursor at its start. */
  clear(): void {
    if (this.#text === '') return;
    this.#text = '';
    this.#terminal.write(START + ERASE);
  }

  /** Clears it; it does not come back. */
  end(): void {
    this.clear();
    this.#isOver = true;
  }

  #above(lines: string): void {
    const text = lines
      .split('\n')
      .map((line) => betweenWords(line, this.#columns))
      .join('\n');
    if (this.#text === '') {
      this.#terminal.write(text);
      return;
    }
    this.#terminal.write(START + ERASE + text);
    this.#draw();
  }

  get #columns(): number {
    return this.#terminal.columns || DEFAULT_COLUMNS;
  }

  #draw(): void {
    // A text in the last column would make some terminals begin another line.
    const room = Math.max(1, this.#columns - 1);
    const shown = this.#text.length <= room ? this.#text : `${this.#text.slice(0, room - 1)}…`;
    this.#terminal.write(START + shown + ERASE);
  }
}

/** Whether a line can be rewritten there: not with TERM=dumb, as in the shell of Emacs, and not without TERM. */
export const canRewrite = (
  { isTTY }: { readonly isTTY?: boolean },
  { TERM }: Readonly<Record<string, string | undefined>>,
): boolean => isTTY === true && TERM !== undefined && TERM !== '' && TERM !== 'dumb';
