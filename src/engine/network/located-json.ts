/** JSON whose values know their line, so that a person who wrote a file by hand is told where it is wrong. */
import { CodedError } from '../../base/coded-error.js';

export interface LocatedJson {
  /** Where the value begins, from 1. */
  readonly line: number;
  readonly value: null | boolean | number | string | readonly LocatedJson[] | ReadonlyMap<string, LocatedJson>;
}

export class JsonSyntaxError extends CodedError<'json-syntax'> {
  readonly line: number;

  constructor(line: number, message: string) {
    super('json-syntax', message);
    this.line = line;
  }
}

/** Deeper than any file of ours, and far from what the stack bears. */
const MAX_DEPTH = 64;
/** Characters of a wrong value that an error shows. */
const MAX_QUOTED = 40;

/** @throws JsonSyntaxError */
export function parseLocatedJson(text: string): LocatedJson {
  return new Parser(text).document();
}

class Parser {
  readonly #text: string;
  #at = 0;
  #line = 1;

  constructor(text: string) {
    this.#text = text;
  }

  document(): LocatedJson {
    const result = this.#value(0);
    this.#skipSpace();
    if (this.#at < this.#text.length) throw this.#unexpected('the end');
    return result;
  }

  #value(depth: number): LocatedJson {
    if (depth > MAX_DEPTH) throw new JsonSyntaxError(this.#line, 'it is nested too deeply');
    this.#skipSpace();
    const line = this.#line;
    if (this.#take('{')) return { line, value: this.#members(depth) };
    if (this.#take('[')) return { line, value: this.#list(']', () => this.#value(depth + 1)) };
    // JSON's own grammar for everything that is not composed; JSON.parse gives the value.
    const scalar = this.#match(/"(?:[^"\\\r\n]|\\.)*"|-?\d[\d.eE+-]*|true|false|null/uy);
    if (scalar === undefined) throw this.#unexpected('a value');
    return { line, value: this.#scalar(scalar) as string | number | boolean | null };
  }

  #members(depth: number): Map<string, LocatedJson> {
    const members = this.#list('}', (): [string, LocatedJson] => {
      this.#skipSpace();
      const name = this.#match(/"(?:[^"\\\r\n]|\\.)*"/uy);
      if (name === undefined) throw this.#unexpected('a name in quotes');
      this.#skipSpace();
      if (!this.#take(':')) throw this.#unexpected('":"');
      return [this.#scalar(name) as string, this.#value(depth + 1)];
    });
    return new Map(members);
  }

  /** What stands before `end`, separated by commas. */
  #list<Item>(end: string, item: () => Item): Item[] {
    const items: Item[] = [];
    this.#skipSpace();
    if (this.#take(end)) return items;
    for (;;) {
      items.push(item());
      this.#skipSpace();
      if (this.#take(end)) return items;
      if (!this.#take(',')) throw this.#unexpected(`"," or "${end}"`);
    }
  }

  #scalar(text: string): unknown {
    try {
      return JSON.parse(text);
    } catch {
      throw new JsonSyntaxError(this.#line, `${text.slice(0, MAX_QUOTED)} is not JSON`);
    }
  }

  #skipSpace(): void {
    for (const character of this.#match(/[ \t\r\n]+/y) ?? '') if (character === '\n') this.#line += 1;
  }

  #take(character: string): boolean {
    if (this.#text[this.#at] !== character) return false;
    this.#at += 1;
    return true;
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0];
    this.#at += found?.length ?? 0;
    return found;
  }

  #unexpected(expected: string): JsonSyntaxError {
    const found = this.#at < this.#text.length ? JSON.stringify(this.#text[this.#at]) : 'the end of the file';
    return new JsonSyntaxError(this.#line, `${expected} is expected, but ${found} comes`);
  }
}
