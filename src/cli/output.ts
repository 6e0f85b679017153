/** Standard output of a command: fitted to a terminal if it is one, untouched values if not. */
import { harmless, harmlessJson, wrapped } from '../base/columns.js';
import { type Column, tableLines } from './table.js';

/** What we need of process.stdout. */
export interface OutputStream {
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly rows?: number;
  write(text: string): unknown;
}

/** What a terminal has that does not say. */
const USUAL_COLUMNS = 80;
const USUAL_ROWS = 24;

const STYLES = { plain: '', strong: '1', warning: '33', alarm: '1;31', good: '32', faint: '2' } as const;
export type Style = keyof typeof STYLES;

export class Output {
  readonly #stream: OutputStream;
  readonly #hasColour: boolean;

  constructor(stream: OutputStream, options: { readonly mayColour: boolean }) {
    this.#stream = stream;
    this.#hasColour = options.mayColour && stream.isTTY === true;
  }

  get isTerminal(): boolean {
    return this.#stream.isTTY === true;
  }

  get hasColour(): boolean {
    return this.#hasColour;
  }

  /** Infinity where no line needs to fit. */
  get columns(): number {
    return this.isTerminal ? this.#stream.columns || USUAL_COLUMNS : Number.POSITIVE_INFINITY;
  }

  get rows(): number {
    return this.isTerminal ? this.#stream.rows || USUAL_ROWS : Number.POSITIVE_INFINITY;
  }

  /** One line, or as many as it takes; all but the first are indented. */
  line(text = '', options: { readonly style?: Style; readonly indent?: number } = {}): void {
    const { style = 'plain', indent = 0 } = options;
    const safe = harmless(text);
    // The first one has its indentation in its text.
    const [first = '', ...rest] = wrapped(safe, this.columns);
    const others =
      rest.length === 0 ? [] : wrapped(safe.slice(first.length).trimStart(), Math.max(20, this.columns - indent));
    for (const [index, part] of [first, ...others].entries()) {
      this.#stream.write(`${this.painted((index === 0 ? part : ' '.repeat(indent) + part).trimEnd(), style)}\n`);
    }
  }

  /** `Network    online, …`, with what follows the name aligned. */
  field(name: string, text: string, options: { readonly style?: Style } = {}): void {
    this.line(name.padEnd(FIELD) + text, { ...options, indent: FIELD });
  }

  table(columns: readonly Column[], rows: readonly (readonly string[])[]): void {
    const lines = tableLines(columns, rows, this.columns);
    this.#stream.write(`${this.painted(lines.heading, 'strong')}\n${lines.rows.map((line) => `${line}\n`).join('')}`);
  }

  /** For programs; a terminal gets it with a field a line. */
  json(value: unknown, options: { readonly isOneLine?: boolean } = {}): void {
    const text = JSON.stringify(value, undefined, this.isTerminal && options.isOneLine !== true ? 2 : undefined);
    this.#stream.write(`${harmlessJson(text)}\n`);
  }

  /** As it is. */
  raw(text: string): void {
    this.#stream.write(text);
  }

  painted(text: string, style: Style): string {
    return !this.#hasColour || style === 'plain' || text === '' ? text : `\x1b[${STYLES[style]}m${text}\x1b[0m`;
  }
}

/** Columns before what belongs to a name. */
const FIELD = 11;
