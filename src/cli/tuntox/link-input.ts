/** Reads the link of `tuntox join -`: pasted, piped, or in words that a person types line by line. */
import type { Readable } from 'node:stream';
import type { Clock } from '../../base/clock.js';
import { FormatError } from '../../config/format-error.js';
import { formatLink, formatLinkOrId, parseLinkOrId } from '../../config/link.js';
import { linkOfBytes } from '../../config/link-words.js';
import { WordReader } from '../../config/words.js';
import { UsageError } from './usage-error.js';

/** The part of process.stdin that is used. */
type InputStream = Readable & { readonly isTTY?: boolean };

/** Lines of text, as they come. */
export interface LinkInput {
  readonly isTerminal: boolean;
  /** Waits for a line, and returns it with the lines that came along; undefined at the end. */
  read(): Promise<string | undefined>;
}

/** A number in front of a line is no digit inside a word. */
const WORDS = /^(?!.*(\d\p{L}|\p{L}\d))[\p{L}\s\d.,;)-]+$/su;

/**
 * On a terminal a person can correct each line; elsewhere the first error ends it.
 * @param ask writes to the terminal
 * @returns the link, or a Tox ID
 * @throws UsageError
 */
export async function readLink(input: LinkInput, ask: (text: string) => void): Promise<string> {
  let text = '';
  let prompt = 'paste the link, or type its words line by line\nline 1: ';
  let reader: WordReader | undefined;
  for (;;) {
    if (input.isTerminal) ask(prompt);
    const lines = await input.read();
    if (lines === undefined) {
      if (input.isTerminal) ask('\n');
      throw new UsageError(`join -: ${endOf(text, reader)}`);
    }
    text += lines;
    if (text.trim() === '') continue;
    try {
      if (reader === undefined && !WORDS.test(text)) return formatLinkOrId(parseLinkOrId(text));
      reader ??= await WordReader.open();
      text = '';
      addLines(reader, lines);
      if (reader.isComplete) return formatLink(linkOfBytes(reader.finish()));
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
      if (!input.isTerminal && reader !== undefined) throw new UsageError(`join -: ${error.message}`);
      // A pipe may deliver the rest of a link later.
      if (!input.isTerminal) continue;
      ask(`${error.message}\n`);
      text = '';
    }
    prompt = reader === undefined ? 'paste the link: ' : `line ${reader.lineNumber}: `;
  }
}

/** @throws FormatError; the lines before the wrong one are taken */
function addLines(reader: WordReader, lines: string): void {
  for (const line of lines.split('\n')) if (line.trim() !== '' && !reader.isComplete) reader.add(line);
}

/** Says what is wrong at the end of the input. */
function endOf(text: string, reader: WordReader | undefined): string {
  try {
    if (reader !== undefined) reader.finish();
    else if (text.trim() !== '') parseLinkOrId(text);
    return 'there is no link on standard input';
  } catch (error) {
    if (error instanceof FormatError) return error.message;
    throw error;
  }
}

/** Characters; a link has at most some 400, and its words some 600. */
const MAX_TEXT = 4096;
/** ms. What was pasted comes at once, also in several lines. */
const QUIET = 100;

export class LinkStream implements LinkInput {
  readonly isTerminal: boolean;
  readonly #stream: InputStream;
  readonly #clock: Clock;
  #text = '';
  #hasEnded = false;
  #onChange: () => void = () => {};

  constructor(stream: InputStream, clock: Clock) {
    this.#stream = stream;
    this.#clock = clock;
    this.isTerminal = stream.isTTY === true;
    const end = (): void => {
      this.#hasEnded = true;
      this.#onChange();
    };
    stream.setEncoding('utf8');
    stream.on('data', (chunk: string) => {
      this.#text = (this.#text + chunk).slice(0, MAX_TEXT);
      this.#onChange();
    });
    stream.on('end', end);
    stream.on('error', end);
  }

  async read(): Promise<string | undefined> {
    while (!this.#hasEnded && !this.#text.includes('\n')) await this.#change();
    while (!this.#hasEnded && (await this.#change(QUIET)));
    const text = this.#text;
    this.#text = '';
    return text === '' ? undefined : text;
  }

  /** An open stream would keep the process alive. */
  close(): void {
    this.#stream.destroy();
  }

  /** @returns false if nothing changed for `limit` ms */
  #change(limit?: number): Promise<boolean> {
    return new Promise((resolve) => {
      const timer = limit === undefined ? undefined : this.#clock.after(limit, () => resolve(false));
      this.#onChange = () => {
        timer?.cancel();
        resolve(true);
      };
    });
  }
}
