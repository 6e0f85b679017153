/**
 * Writes bytes as words that can be read aloud, and reads them back. The list is the English one of BIP 39: 2048 words, which differ
 * in their first four letters. A line has six words:
 *
 *     data (5 × 11 bits) || checksum (11 bits)
 *
 * The checksum covers the number of the line and whether it is the last one. So an error names its line, a line that was left out is
 * found, and a reader knows where the text ends.
 */
import { createHash, pbkdf2 } from 'node:crypto';
import { promisify } from 'node:util';
import { didYouMean, nearest } from '../base/nearest.js';
import { countText } from '../base/units.js';
import type { PublicKey } from '../tox/crypto/keys.js';
import { FormatError } from './format-error.js';

/** The checksum is the last of them. */
const WORDS_IN_LINE = 6;
const WORD_BITS = 11;
const LINE_BITS = (WORDS_IN_LINE - 1) * WORD_BITS;
/** No two words of the list have the same. */
const UNIQUE_LETTERS = 4;
/** More than nearly everything needs. */
const MAX_LINES = 32;
/** Bytes that can be written as words: 220. */
export const MAX_WORD_BYTES = Math.floor((MAX_LINES * LINE_BITS) / 8);
/** 66 bits. Each try for another key with the same words costs 2^13 blocks of SHA-256 more than the key itself: as with 79 bits. */
const KEY_WORDS = 6;
const KEY_ITERATIONS = 4_096;

const stretched = promisify(pbkdf2);

/** Most commands never need it. */
const wordList = async (): Promise<readonly string[]> => (await import('@scure/bip39/wordlists/english.js')).wordlist;

/** Returns the lines. They carry whole lines of bits, so reading them back may add zero bytes at the end. */
export async function wordLines(bytes: Buffer): Promise<readonly string[]> {
  const list = await wordList();
  const count = Math.max(1, Math.ceil((bytes.length * 8) / LINE_BITS));
  if (bytes.length > MAX_WORD_BYTES) throw new RangeError(`wordLines: ${bytes.length} bytes are too many`);
  return Array.from({ length: count }, (_, line) => {
    const data = Array.from({ length: WORDS_IN_LINE - 1 }, (_, word) =>
      bitsAt(bytes, line * LINE_BITS + word * WORD_BITS),
    );
    return [...data, checksum(data, line, line === count - 1)].map((index) => list[index]).join(' ');
  });
}

/** Reads lines of words one after the other, as somebody types them. */
export class WordReader {
  readonly #list: readonly string[];
  readonly #data: number[] = [];
  #isComplete = false;

  private constructor(list: readonly string[]) {
    this.#list = list;
  }

  static async open(): Promise<WordReader> {
    return new WordReader(await wordList());
  }

  /** Whether the last line has been read. */
  get isComplete(): boolean {
    return this.#isComplete;
  }

  /** The number of the line that is read next; the first one is 1. */
  get lineNumber(): number {
    return this.#data.length / (WORDS_IN_LINE - 1) + 1;
  }

  /** Takes the next line; numbers and punctuation do not matter. @throws FormatError that names the line, which is then read again */
  add(text: string): void {
    const number = this.lineNumber;
    if (this.#isComplete || number > MAX_LINES) throw new FormatError(`line ${number} is one line too many`);
    const indices = wordsIn(text).map((word) => indexOf(this.#list, word, ` in line ${number}`));
    if (indices.length !== WORDS_IN_LINE) {
      throw new FormatError(`line ${number} has ${countText(indices.length, 'word')}: every line has ${WORDS_IN_LINE}`);
    }
    const isLast = lastOf(indices, number - 1);
    if (isLast === undefined) throw new FormatError(this.#wrongLine(indices, number));
    this.#data.push(...indices.slice(0, -1));
    this.#isComplete = isLast;
  }

  /** Returns the bytes of all lines. @throws FormatError if a line is missing */
  finish(): Buffer {
    if (!this.#isComplete) throw new FormatError(`line ${this.lineNumber} is missing: add it and what follows it`);
    const bits = this.#data.map((index) => index.toString(2).padStart(WORD_BITS, '0')).join('');
    return Buffer.from((bits.match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2)));
  }

  #wrongLine(indices: readonly number[], number: number): string {
    const other = Array.from({ length: MAX_LINES }, (_, line) => line).find(
      (line) => lastOf(indices, line) !== undefined,
    );
    if (other === undefined) return `a word of line ${number} is wrong: have the line read again`;
    return `this is line ${other + 1}, but line ${number} comes now`;
  }
}

/** They take some ms, and each connection of a process needs those of its own key. */
const WORDS_OF_KEYS = new WeakMap<PublicKey, Promise<string>>();

/** Resolves to six words by which two people compare a key; equal words mean that the keys are equal. */
export function keyWords(key: PublicKey): Promise<string> {
  const words = WORDS_OF_KEYS.get(key) ?? computeKeyWords(key);
  WORDS_OF_KEYS.set(key, words);
  return words;
}

async function computeKeyWords(key: PublicKey): Promise<string> {
  const list = await wordList();
  const hash = await stretched(
    key.bytes,
    'tuntox key words',
    KEY_ITERATIONS,
    Math.ceil((KEY_WORDS * WORD_BITS) / 8),
    'sha256',
  );
  return Array.from({ length: KEY_WORDS }, (_, word) => list[bitsAt(hash, word * WORD_BITS)]).join(' ');
}

/** Reads the words of a key as somebody types them, and returns them as `keyWords` does. @throws FormatError */
export async function parseKeyWords(text: string): Promise<string> {
  const list = await wordList();
  const indices = wordsIn(text).map((word) => indexOf(list, word, ''));
  if (indices.length === KEY_WORDS) return indices.map((index) => list[index]).join(' ');
  throw new FormatError(`a key has ${KEY_WORDS} words, and these are ${indices.length}: compare and type all of them`);
}

/** @param place of the word, for an error @throws FormatError */
function indexOf(list: readonly string[], word: string, place: string): number {
  const isShort = word.length >= UNIQUE_LETTERS;
  const index = list.findIndex((one) => one === word || (isShort && one.startsWith(word)));
  if (index >= 0) return index;
  const near = nearest(word, list);
  const advice = near === undefined ? 'have it spelled' : didYouMean([near]);
  throw new FormatError(`"${word}"${place} is not one of the words: ${advice}`);
}

const wordsIn = (text: string): readonly string[] => text.toLowerCase().match(/\p{L}+/gu) ?? [];

/** Returns eleven bits as a number; zeros follow the bytes. */
function bitsAt(bytes: Buffer, offset: number): number {
  const first = offset >> 3;
  const three = ((bytes[first] ?? 0) << 16) | ((bytes[first + 1] ?? 0) << 8) | (bytes[first + 2] ?? 0);
  return (three >> (24 - WORD_BITS - (offset & 7))) & ((1 << WORD_BITS) - 1);
}

/** Returns whether the line is the last one; undefined if its checksum is wrong in this place. @param line from 0 */
function lastOf(indices: readonly number[], line: number): boolean | undefined {
  const data = indices.slice(0, -1);
  const sum = indices.at(-1);
  return [false, true].find((isLast) => checksum(data, line, isLast) === sum);
}

function checksum(data: readonly number[], line: number, isLast: boolean): number {
  const text = `tuntox words ${line} ${isLast ? 'last' : 'more'} ${data.join(' ')}`;
  return bitsAt(createHash('sha256').update(text).digest(), 0);
}
