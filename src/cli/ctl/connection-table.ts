/** Tables of connections, with footnotes that say why a path is not direct. */

import { harmless, wrapped } from '../../base/columns.js';
import { relayReasons } from '../../base/relay-reasons.js';
import { ageText, bytesText, countText, roundTripText } from '../../base/units.js';
import type { Result } from '../../control/protocol.js';
import type { Output } from '../output.js';
import { tableLines } from '../table.js';
import { connectionText, NAME_COLUMNS, nameCells, nameOf } from './names.js';

type Row = Result<'connections.list'>['connections'][number];

const COLUMNS = [
  { heading: 'ID' },
  ...NAME_COLUMNS,
  { heading: 'TARGET', narrowest: 12 },
  { heading: 'VIA' },
  { heading: 'RTT' },
  { heading: 'AGE' },
  { heading: 'IN' },
  { heading: 'OUT' },
];

/** @param most lines that fit; the connections that are left out are counted */
export function printConnections(out: Output, connections: readonly Row[], most = Number.POSITIVE_INFINITY): void {
  if (connections.length === 0) {
    out.line('no connections');
    return;
  }
  const shown = connections.slice(0, most);
  while (shown.length > 1 && heightOf(out, shown) > most) shown.pop();
  const notes = new Footnotes();
  out.table(COLUMNS, cellsOf(shown, notes));
  notes.print(out);
  if (shown.length < connections.length) out.line(`and ${connections.length - shown.length} more`);
}

function heightOf(out: Output, connections: readonly Row[]): number {
  const notes = new Footnotes();
  const { rows } = tableLines(COLUMNS, cellsOf(connections, notes), out.columns);
  return rows.length + notes.lines(out.columns).length;
}

const cellsOf = (connections: readonly Row[], notes: Footnotes): string[][] =>
  connections.map((one) => [
    one.id,
    ...nameCells(one.client),
    connectionText(one),
    notes.via(one.path),
    roundTripText(one.roundTripMs),
    ageText(one.ageMs),
    ...(one.state === 'open' ? [bytesText(one.bytesReceived), bytesText(one.bytesSent)] : [one.state]),
  ]);

/** Prints what a request closed, or would close. */
export function printClosed(out: Output, closed: readonly Row[], dryRun: boolean): void {
  for (const one of closed) {
    const { id, client } = one;
    out.line(`${dryRun ? 'would close' : 'closed'}  ${id}  ${nameOf(client)}  ${connectionText(one)}`, { indent: 8 });
  }
  if (closed.length === 0) out.line('no connection to close');
  else if (closed.length > 1) out.line(`${countText(closed.length, 'connection')}${dryRun ? ' would be closed' : ''}`);
}

type Path = Result<'connections.list'>['connections'][number]['path'];

/** The reasons of the control protocol in words. One that only a later daemon knows is printed as it is. */
const RELAYED: Readonly<Record<string, string>> = relayReasons('the client');
const UNCONNECTED: Readonly<Record<string, string>> = {
  'no-network': 'this machine has no network',
  searching: 'looking for the client',
  connecting: 'connecting to the client',
  'no-route': 'no route to the client works',
};

const DIGITS = '⁰¹²³⁴⁵⁶⁷⁸⁹';

/** Says why a path is not direct; empty when it is, or when the reason is unknown. */
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
