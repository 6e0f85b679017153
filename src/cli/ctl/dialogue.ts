/** Standard input: questions to people, and what they and programs hand over. */
import type { Readable } from 'node:stream';
import { CtlError } from './ctl-error.js';
import { readText } from './text-input.js';

/** What we need of process.stdin. */
export type InputStream = Readable & { readonly isTTY?: boolean; setRawMode?(isRaw: boolean): unknown };

const CTRL_C = '\x03';
const CTRL_D = '\x04';
const BACKSPACES: readonly string[] = ['\b', '\x7f'];

export class Dialogue {
  readonly #input: () => InputStream;
  /** Where questions go: never into the output. */
  readonly #ask: (text: string) => void;
  readonly #isPerson: boolean;

  /** @param input taken hold of only when something is read */
  constructor(input: () => InputStream, ask: (text: string) => void, options: { readonly isPerson: boolean }) {
    this.#input = input;
    this.#ask = ask;
    this.#isPerson = options.isPerson;
  }

  /** Whether somebody is there to answer. */
  get isPossible(): boolean {
    return this.#isPerson;
  }

  /** Anything but a clear yes is a no. */
  async confirm(question: string): Promise<boolean> {
    this.#ask(`${question} [y/N] `);
    const input = this.#input();
    input.setEncoding('utf8');
    let answer = '';
    for await (const chunk of input) {
      answer += chunk as string;
      if (answer.includes('\n')) break;
    }
    input.destroy();
    return /^\s*y(es)?\s*$/i.test(answer.split('\n')[0] ?? '');
  }

  /** All of it. @throws CtlError when there is more than `limit` bytes */
  async read(limit: number): Promise<string> {
    return readText(this.#input(), limit, 'standard input');
  }

  /** A line that is not shown while it is typed; the whole input when nobody types it. */
  async readHidden(question: string, limit: number): Promise<string> {
    const input = this.#input();
    if (!this.#isPerson || input.setRawMode === undefined) return (await this.read(limit)).replace(/\r?\n$/, '');
    this.#ask(question);
    input.setRawMode(true);
    input.setEncoding('utf8');
    try {
      return await hiddenLine(input, limit);
    } finally {
      input.setRawMode(false);
      input.destroy();
      this.#ask('\n');
    }
  }
}

async function hiddenLine(input: Readable, limit: number): Promise<string> {
  let line = '';
  for await (const chunk of input) {
    for (const character of chunk as string) {
      if (character === CTRL_C || character === CTRL_D) throw new CtlError('failed', 'stopped: nothing has changed');
      if (character === '\r' || character === '\n') return line;
      line = BACKSPACES.includes(character) ? line.slice(0, -1) : line + character;
      if (line.length > limit) throw new CtlError('usage', `that is more than ${limit} bytes`);
    }
  }
  return line;
}
