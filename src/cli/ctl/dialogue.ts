/** Standard input: questions to a person, and text from people and programs. */
import { emitKeypressEvents } from 'node:readline';
import type { Readable } from 'node:stream';
import { isUtf16 } from '../../base/copied-text.js';
import { CtlError, usage } from './ctl-error.js';

/** The part of process.stdin that is used. */
export type InputStream = Readable & { readonly isTTY?: boolean; setRawMode?(isRaw: boolean): unknown };

/** A key that was pressed. */
export interface Key {
  /** `up`, `return`, or the character in lower case. */
  readonly name: string;
  readonly isControl: boolean;
}

const CTRL_C = '\x03';
const CTRL_D = '\x04';
const BACKSPACES: readonly string[] = ['\b', '\x7f'];

export interface DialogueOptions {
  /** Whether a person can answer. */
  readonly isPerson: boolean;
  /** Whether keys can be read one by one. */
  readonly hasKeys?: boolean;
  /** Stops the process, as Ctrl-Z does; resolves when it runs again. */
  readonly stop?: () => Promise<void>;
}

export class Dialogue {
  readonly #input: () => InputStream;
  /** Writes a question to standard error. */
  readonly #ask: (text: string) => void;
  readonly #isPerson: boolean;
  readonly #hasKeys: boolean;
  readonly #stop: () => Promise<void>;

  /** @param input called only when something is read: a stream that is open keeps the process alive */
  constructor(input: () => InputStream, ask: (text: string) => void, options: DialogueOptions) {
    this.#input = input;
    this.#ask = ask;
    this.#isPerson = options.isPerson;
    this.#hasKeys = options.hasKeys === true;
    this.#stop = options.stop ?? (() => Promise.resolve());
  }

  /** Whether keys can be read one by one. */
  get hasKeys(): boolean {
    return this.#hasKeys;
  }

  /**
   * Reads keys one by one, without echo. Ctrl-C is a key then, not a signal.
   * @param onEnd the terminal is gone
   * @returns a function that ends it
   */
  onKey(listener: (key: Key) => void, onEnd: () => void): () => void {
    const input = this.#input();
    const onKeypress = (text: string | undefined, { name, ctrl }: { name?: string; ctrl?: boolean }): void => {
      const known = name ?? text;
      if (known !== undefined) listener({ name: known, isControl: ctrl === true });
    };
    emitKeypressEvents(input);
    input.setRawMode?.(true);
    input.on('keypress', onKeypress);
    input.once('close', onEnd);
    input.resume();
    return () => {
      input.removeListener('keypress', onKeypress);
      input.removeListener('close', onEnd);
      input.setRawMode?.(false);
      input.destroy();
    };
  }

  /** Whether a person can answer. */
  get isPossible(): boolean {
    return this.#isPerson;
  }

  /** Gives the terminal back to the shell while keys are read; resolves when the person continues, with `fg`. */
  async suspend(): Promise<void> {
    const input = this.#input();
    input.setRawMode?.(false);
    await this.#stop();
    if (!input.destroyed) input.setRawMode?.(true);
  }

  /** Returns true for `y` and `yes` only. */
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

  /** Reads the whole input. @throws CtlError when there is more than `limit` bytes */
  async read(limit: number): Promise<string> {
    return readText(this.#input(), limit, 'standard input');
  }

  /** Reads a line without echo from a terminal, or the whole input from anything else. */
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
      if (character === CTRL_C || character === CTRL_D) throw new CtlError('failed', 'cancelled: nothing has changed');
      if (character === '\r' || character === '\n') return line;
      line = BACKSPACES.includes(character) ? line.slice(0, -1) : line + character;
      if (line.length > limit) throw new CtlError('usage', `the line is longer than ${limit} bytes`);
    }
  }
  return line;
}

/** @param name of the source, for messages. @throws CtlError `usage` */
export function decodeText(bytes: Buffer, name: string): string {
  if (isUtf16(bytes)) throw usage(`${name} is in UTF-16`, 'save it as UTF-8');
  // Some editors begin a text with a byte order mark.
  return bytes.toString().replace(/^\ufeff/, '');
}

/** Reads a whole stream. @param name of the stream, for messages. @throws CtlError when there is more than `limit` bytes */
export async function readText(input: Readable, limit: number, name: string): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of input) {
    chunks.push(Buffer.from(chunk as Buffer));
    length += (chunk as Buffer).length;
    if (length > limit) throw new CtlError('usage', `${name} is longer than ${limit} bytes`);
  }
  return decodeText(Buffer.concat(chunks), name);
}
