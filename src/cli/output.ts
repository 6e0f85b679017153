/** The standard output of a command: fitted to a terminal, or whole values for programs. */
import { harmless, harmlessJson, wrapped } from '../base/columns.js';
import { type Column, tableLines } from './table.js';

/** The part of process.stdout that is used. */
export interface OutputStream {
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly rows?: number;
  write(text: string): unknown;
  on?(event: 'resize', listener: () => void): unknown;
  removeListener?(event: 'resize', listener: () => void): unknown;
}

/** The size of a terminal that does not report it. */
const DEFAULT_COLUMNS = 80;
const DEFAULT_ROWS = 24;

const STYLES = { plain: '', strong: '1', warning: '33', alarm: '1;31', good: '32', faint: '2', selected: '7' } as const;
export type Style = keyof typeof STYLES;

export class Output {
  readonly #stream: OutputStream;
  readonly #hasColour: boolean;
  readonly #isDumb: boolean;

  constructor(stream: OutputStream, options: { readonly mayColour: boolean; readonly isDumb?: boolean }) {
    this.#stream = stream;
    this.#isDumb = options.isDumb === true;
    this.#hasColour = options.mayColour && stream.isTTY === true;
  }

  get isTerminal(): boolean {
    return this.#stream.isTTY === true;
  }

  /** Whether the screen can be cleared: not with TERM=dumb. */
  get canClear(): boolean {
    return this.isTerminal && !this.#isDumb;
  }

  get hasColour(): boolean {
    return this.#hasColour;
  }

  /** Infinity when the output is no terminal. */
  get columns(): number {
    return this.isTerminal ? this.#stream.columns || DEFAULT_COLUMNS : Number.POSITIVE_INFINITY;
  }

  get rows(): number {
    return this.isTerminal ? this.#stream.rows || DEFAULT_ROWS : Number.POSITIVE_INFINITY;
  }

  /** Writes a text, wrapped; all lines but the first are indented. */
  line(text = '', options: { readonly style?: Style; readonly indent?: number } = {}): void {
    const { style = 'plain', indent = 0 } = options;
    const safe = harmless(text);
    // The text of the first line includes its indentation.
    const [first = '', ...rest] = wrapped(safe, this.columns);
    const others =
      rest.length === 0 ? [] : wrapped(safe.slice(first.length).trimStart(), Math.max(20, this.columns - indent));
    for (const [index, part] of [first, ...others].entries()) {
      this.#stream.write(`${this.painted((index === 0 ? part : ' '.repeat(indent) + part).trimEnd(), style)}\n`);
    }
  }

  /** Writes `Network    online, …`, with the texts of all fields aligned. */
  field(name: string, text: string, options: { readonly style?: Style } = {}): void {
    this.line(name.padEnd(FIELD) + text, { ...options, indent: FIELD });
  }

  table(columns: readonly Column[], rows: readonly (readonly string[])[]): void {
    const lines = tableLines(columns, rows, this.columns);
    this.#stream.write(`${this.painted(lines.heading, 'strong')}\n${lines.rows.map((line) => `${line}\n`).join('')}`);
  }

  /** Writes a value on one line, or on a terminal with one field per line. */
  json(value: unknown, options: { readonly isOneLine?: boolean } = {}): void {
    const text = JSON.stringify(value, undefined, this.isTerminal && options.isOneLine !== true ? 2 : undefined);
    this.#stream.write(`${harmlessJson(text)}\n`);
  }

  /** Writes a text unchanged. */
  raw(text: string): void {
    this.#stream.write(text);
  }

  /** Takes the whole screen. @returns a function that gives it back; it may be called twice */
  enterScreen(): () => void {
    let isEntered = true;
    this.#stream.write(ENTER_SCREEN);
    return () => {
      if (isEntered) this.#stream.write(LEAVE_SCREEN);
      isEntered = false;
    };
  }

  /** @param lines each as wide as the screen, and as many as it has */
  drawScreen(lines: readonly { readonly text: string; readonly style: Style }[]): void {
    const painted = lines.map(({ text, style }) => this.painted(text, style));
    this.#stream.write(`${HOME}${painted.join('\n')}`);
  }

  /** Calls back when the terminal has another size. @returns a function that removes the listener */
  onResize(listener: () => void): () => void {
    this.#stream.on?.('resize', listener);
    return () => void this.#stream.removeListener?.('resize', listener);
  }

  painted(text: string, style: Style): string {
    return !this.#hasColour || style === 'plain' || text === '' ? text : `\x1b[${STYLES[style]}m${text}\x1b[0m`;
  }
}

/** The alternate screen of xterm, cleared, without a cursor. */
const ENTER_SCREEN = '\x1b[?1049h\x1b[?25l\x1b[2J';
const LEAVE_SCREEN = '\x1b[?25h\x1b[?1049l';
const HOME = '\x1b[H';

/** Columns of the name of a field. */
const FIELD = 11;
