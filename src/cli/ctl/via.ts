/** How packets go to clients, in a word, with footnotes for why they do not go straight. */
import type { Result } from '../../control/protocol.js';
import { harmless, wrapped } from '../columns.js';
import type { Output } from '../output.js';

type Path = Result<'connections.list'>['connections'][number]['path'];

/** The words of the protocol for people, as seen from the daemon. One that only a later daemon knows stays as it is. */
const RELAYED: Readonly<Record<string, string>> = {
  proxy: 'all goes through the proxy',
  'udp-off': 'UDP is switched off at this machine',
  'udp-blocked': 'UDP seems to be blocked at this machine',
  'peer-tcp-only': 'the client seems to have no UDP',
  'udp-one-way': 'our UDP packets do not reach the client',
  'punching-failed': 'no UDP packet gets through',
  'being-tried': 'a direct way is being tried',
};
const UNCONNECTED: Readonly<Record<string, string>> = {
  'no-network': 'this machine has no network',
  searching: 'the client is being looked for',
  connecting: 'it is being connected',
  'no-route': 'no way to the client works',
};

const DIGITS = '⁰¹²³⁴⁵⁶⁷⁸⁹';

/** Why packets do not go straight, in words; empty when they do, or nobody knows. */
export function reasonText(path: Path): string {
  if (path.kind === 'direct' || path.reason === null) return '';
  const words = path.kind === 'relayed' ? RELAYED : UNCONNECTED;
  return Object.hasOwn(words, path.reason) ? (words[path.reason] as string) : path.reason;
}

export class Footnotes {
  readonly #reasons: string[] = [];

  /** `direct`, `relay¹`, `none²`. */
  via(path: Path): string {
    switch (path.kind) {
      case 'direct':
        return 'direct';
      case 'relayed':
        return `relay${this.#mark(`relayed: ${reasonText(path)}`)}`;
      case 'none':
        return path.reason === null ? 'none' : `none${this.#mark(`not connected: ${reasonText(path)}`)}`;
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
