/** The screen of `tuntoxctl top`: from what is known to lines that fit the terminal. Pure. */
import { columnsOf, harmless, padded, shortened } from '../../../base/columns.js';
import { shortKey } from '../../../base/short-key.js';
import { ageText, bytesText, countText, durationText, roundTripText } from '../../../base/units.js';
import type { Result } from '../../../control/protocol.js';
import type { Style } from '../../output.js';
import { reasonText } from '../connection-table.js';
import { connectionText, elapsedSince, nameOf } from '../names.js';
import { fullBar, type Rates, sparkline } from './traffic-history.js';

export type Client = Result<'clients.list'>['clients'][number];
export type Tunnel = Result<'connections.list'>['connections'][number];

export interface Line {
  readonly text: string;
  readonly style: Style;
}

export interface Size {
  readonly columns: number;
  readonly rows: number;
}

/** A row of a list, and whether it is faint: a client that is away. */
export interface Row {
  readonly cells: readonly string[];
  readonly isFaint: boolean;
}

export interface Column {
  readonly heading: string;
  readonly isRight?: boolean;
  /** Columns of the terminal, at least. */
  readonly width: number;
  /** What is left out first on a narrow terminal has the highest number; 0 always stays. */
  readonly rank: number;
}

export interface List {
  readonly columns: readonly Column[];
  /** Those that are shown. */
  readonly rows: readonly Row[];
  /** The place of the selected row among them; -1 when there is none. */
  readonly selected: number;
}

export interface Screen {
  readonly title: readonly string[];
  readonly list: List;
  /** What the list says without rows. */
  readonly empty: string;
  /** Whether all this is old, because the daemon does not answer. */
  readonly isOld: boolean;
  /** What happened last; empty for nothing. */
  readonly message: Line;
  /** The keys, or a question. */
  readonly footer: Line;
}

/** Lines besides those of the list: its heading, the message and the footer; the title has one or more. */
const AROUND = 3;
const GAP = 2;
const MARK = 2;
const [WIDEST_NAME, NARROWEST_NAME] = [24, 6];
/** Columns of one sparkline. Narrower ones say nothing, wider ones would have samples twice. */
const [NARROWEST_BARS, WIDEST_BARS] = [6, 60];
const RATE = 7;

export const rowsOf = ({ rows }: Size, title: readonly string[]): number => Math.max(1, rows - AROUND - title.length);

/** Returns lines that are exactly as wide as the terminal, and at most as many as it has. */
export function linesOf({ title, list, empty, isOld, message, footer }: Screen, size: Size): Line[] {
  const { columns: width, rows: height } = size;
  const { columns, rows, selected } = list;
  const fitting = fittingColumns(columns, width);
  const lines: Line[] = [
    ...title.map((text): Line => ({ text, style: isOld ? 'faint' : 'plain' })),
    {
      text: `${' '.repeat(MARK)}${cellsText(fitting, (index) => (columns[index] as Column).heading)}`,
      style: 'strong',
    },
    ...rows.map(({ cells, isFaint }, index): Line => {
      const isSelected = index === selected;
      const text = `${isSelected ? '> ' : '  '}${cellsText(fitting, (at) => cells[at] ?? '')}`;
      return { text, style: isSelected ? 'selected' : isFaint || isOld ? 'faint' : 'plain' };
    }),
    ...(rows.length === 0 ? [{ text: `  ${empty}`, style: 'plain' } as const] : []),
  ];
  const last: Line[] = [message, footer];
  const room = Math.max(0, height - last.length);
  const body = Array.from({ length: room }, (_, index): Line => lines[index] ?? { text: '', style: 'plain' });
  return [...body, ...last]
    .slice(-height)
    .map(({ text, style }) => ({ text: padded(shortened(harmless(text), width), width), style }));
}

interface Fitting {
  readonly index: number;
  readonly column: Column;
}

/** Leaves out columns until the others fit. */
function fittingColumns(columns: readonly Column[], width: number): Fitting[] {
  let fitting = columns.map((column, index) => ({ column, index }));
  const total = (): number => MARK + fitting.reduce((sum, { column }) => sum + column.width + GAP, -GAP);
  for (;;) {
    const rank = Math.max(...fitting.map(({ column }) => column.rank));
    if (total() <= width || rank === 0) return fitting;
    fitting = fitting.filter(({ column }) => column.rank < rank);
  }
}

function cellsText(fitting: readonly Fitting[], cellOf: (index: number) => string): string {
  return fitting
    .map(({ index, column: { width, isRight } }) => {
      const cell = shortened(harmless(cellOf(index)), width);
      return isRight === true ? ' '.repeat(width - columnsOf(cell)) + cell : padded(cell, width);
    })
    .join(' '.repeat(GAP));
}

/** Returns the list of clients, with sparklines as wide as there is room. */
export function clientColumns(clients: readonly Client[], { columns }: Size): { columns: Column[]; bars: number } {
  const widest = Math.max(NARROWEST_NAME, ...clients.map(({ client }) => columnsOf(clientText(client))));
  const name = Math.min(WIDEST_NAME, widest);
  const others: Column[] = [
    { heading: 'VIA', width: 7, rank: 2 },
    { heading: 'RTT', width: 6, rank: 3, isRight: true },
    { heading: 'IN/s', width: RATE, rank: 0, isRight: true },
    { heading: 'OUT/s', width: RATE, rank: 0, isRight: true },
    { heading: 'TUNNELS', width: 7, rank: 4, isRight: true },
  ];
  // The bars are worth more than the last column.
  const [all, fewer] = [others, others.slice(0, -1)].map((shown) => barsOf(columns - MARK - name, shown));
  const bars = (all as number) >= NARROWEST_BARS ? (all as number) : (fewer as number);
  const bar = (heading: string): Column[] => (bars < NARROWEST_BARS ? [] : [{ heading, width: bars, rank: 1 }]);
  const [via, rtt, into, out, tunnels] = others as [Column, Column, Column, Column, Column];
  const named = { heading: 'CLIENT', width: Math.max(NARROWEST_NAME, Math.min(name, columns - 20)), rank: 0 };
  return { columns: [named, via, rtt, into, ...bar('60 s'), out, ...bar('60 s'), tunnels], bars };
}

/** Returns how wide each of two sparklines may be beside other columns. */
function barsOf(rest: number, others: readonly Column[]): number {
  const free = rest - others.reduce((sum, { width }) => sum + width + GAP, 0);
  return Math.min(WIDEST_BARS, Math.floor(free / 2) - GAP);
}

/** @param bars columns of a sparkline; fewer than 6 for none */
export function clientRow({ client, online, path, roundTripMs, tunnels }: Client, rates: Rates, bars: number): Row {
  const full = fullBar(rates);
  const cell = (way: readonly number[]): string[] => [
    bytesText(way.at(-1) ?? 0),
    ...(bars < NARROWEST_BARS ? [] : [sparkline(way, full, bars)]),
  ];
  const via = { direct: 'direct', relayed: 'relay', none: 'none' }[path.kind];
  return {
    cells: [
      clientText(client),
      online ? via : 'offline',
      online ? roundTripText(roundTripMs) : '-',
      ...cell(rates.received),
      ...cell(rates.sent),
      String(tunnels),
    ],
    isFaint: !online,
  };
}

/** A name is unique, so there is no room for the key beside it. */
export const clientText = ({ name, publicKey }: Client['client']): string => name ?? shortKey(publicKey);

export const TUNNEL_COLUMNS: readonly Column[] = [
  { heading: 'ID', width: 7, rank: 0 },
  { heading: 'TARGET', width: 21, rank: 0 },
  { heading: 'AGE', width: 7, rank: 1, isRight: true },
  { heading: 'IN', width: RATE, rank: 2, isRight: true },
  { heading: 'OUT', width: RATE, rank: 2, isRight: true },
  { heading: 'IN/s', width: RATE, rank: 3, isRight: true },
  { heading: 'OUT/s', width: RATE, rank: 3, isRight: true },
];

export function tunnelRow(tunnel: Tunnel, rates: Rates): Row {
  const { id, kind, state, ageMs, bytesReceived, bytesSent } = tunnel;
  if (kind === 'listener')
    return { cells: [id, `${connectionText(tunnel)} (listens)`, ageText(ageMs), '-', '-', '-', '-'], isFaint: false };
  const age = state === 'open' ? ageText(ageMs) : state;
  const now = [rates.received, rates.sent].map((way) => bytesText(way.at(-1) ?? 0));
  return {
    cells: [id, connectionText(tunnel), age, bytesText(bytesReceived), bytesText(bytesSent), ...now],
    isFaint: false,
  };
}

/** The target takes the room that is left. */
export function tunnelColumns({ columns }: Size): Column[] {
  const others = TUNNEL_COLUMNS.reduce((sum, { width }) => sum + width + GAP, MARK - GAP);
  return TUNNEL_COLUMNS.map((column) =>
    column.heading === 'TARGET' ? { ...column, width: column.width + Math.max(0, columns - others) } : column,
  );
}

export function titleOfClients(clients: readonly Client[], ratesOf: (id: string) => Rates): string[] {
  const online = clients.filter((client) => client.online).length;
  const total = (way: 'received' | 'sent'): string =>
    bytesText(clients.reduce((sum, { client }) => sum + (ratesOf(client.publicKey)[way].at(-1) ?? 0), 0));
  const tunnels = clients.reduce((sum, client) => sum + client.tunnels, 0);
  return [
    `${online} of ${countText(clients.length, 'client')} online, ${countText(tunnels, 'tunnel')}   ` +
      `in ${total('received')}/s   out ${total('sent')}/s`,
  ];
}

/** @param now Unix time, s @param bars columns of a sparkline */
export function titleOfClient(
  client: Client,
  rates: Rates,
  { now, columns }: { now: number; columns: number },
): string[] {
  const { path, online, since, roundTripMs } = client;
  const address = 'address' in path && path.address !== null ? ` ${path.address}` : '';
  const reason = reasonText(path);
  const via = online ? `${path.kind}${address}${reason === '' ? '' : ` (${reason})`}` : 'not connected';
  const full = fullBar(rates);
  const way = (name: string, samples: readonly number[]): string => {
    const text = `${name} ${`${bytesText(samples.at(-1) ?? 0)}/s`.padStart(RATE + 2)}  `;
    return `${text}${sparkline(samples, full, Math.max(1, Math.min(WIDEST_BARS, columns - text.length)))}`;
  };
  return [
    `${nameOf(client.client)}   ${online ? 'online' : 'offline'} for ${durationText(elapsedSince(since, now))}, ` +
      `round trip ${roundTripText(roundTripMs)}`,
    via,
    way('in ', rates.received),
    way('out', rates.sent),
  ];
}
