/** How packets go to clients, in a word, with footnotes for why they do not go straight. */
import type { Result } from '../../control/protocol.js';
import { harmless, wrapped } from '../columns.js';
import type { Output } from '../output.js';

type Path = Result<'connections.list'>['connections'][number]['path'];

const DIGITS = '⁰¹²³⁴⁵⁶⁷⁸⁹';

export class Footnotes {
  readonly #reasons: string[] = [];

  /** `direct`, `relay¹`, `none²`. */
  via(path: Path): string {
    switch (path.kind) {
      case 'direct':
        return 'direct';
      case 'relayed':
        return `relay${this.#mark(`relayed: ${path.reason}`)}`;
      case 'none':
        return path.reason === null ? 'none' : `none${this.#mark(`no way: ${path.reason}`)}`;
    }
  }

  print(out: Output): void {
    for (const line of this.lines(out.columns)) out.line(line);
  }

  lines(width: number): string[] {
    return this.#reasons.flatMap((reason, index) => {
      const mark = `${markOf(index + 1)} `;
      return wrapped(harmless(reason), width - mark.length).map((line, at) => (at === 0 ? mark : '  ') + line);
    });
  }

  #mark(reason: string): string {
    const at = this.#reasons.indexOf(reason);
    return markOf(at >= 0 ? at + 1 : this.#reasons.push(reason));
  }
}

const markOf = (number: number): string => [...String(number)].map((digit) => DIGITS[Number(digit)]).join('');
