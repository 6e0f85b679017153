/** Connections as people see them. */
import type { Result } from '../../control/protocol.js';
import { ageText, bytesText, countText, roundTripText } from '../humanise.js';
import type { Output } from '../output.js';
import { tableLines } from '../table.js';
import { NAME_COLUMNS, nameCells, nameOf, targetText } from './names.js';
import { Footnotes } from './via.js';

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

/** @param most lines that there is room for; the connections that are left out are counted */
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
    targetText(one.target),
    notes.via(one.path),
    roundTripText(one.roundTrip),
    ageText(one.age),
    ...(one.state === 'open' ? [bytesText(one.bytesReceived), bytesText(one.bytesSent)] : [one.state]),
  ]);

/** What an order closed, or would close. */
export function printClosed(out: Output, closed: readonly Row[], isDryRun: boolean): void {
  for (const { id, client, target } of closed) {
    out.line(`${isDryRun ? 'would close' : 'closed'}  ${id}  ${nameOf(client)}  ${targetText(target)}`, { indent: 8 });
  }
  if (closed.length === 0) out.line('there was no connection to close');
  else if (closed.length > 1)
    out.line(`${countText(closed.length, 'connection')}${isDryRun ? ' would be closed' : ''}`);
}
