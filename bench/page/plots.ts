/** The plots of the page, each from the results that have its columns: by name, in the units given here. */

import type { Cell, Table } from '../support/results.js';
import { median } from '../support/statistics.js';
import { type Bar, type BarPanel, type BarRow, barChart } from './bars.js';
import { type Curve, type CurvePanel, lineChart } from './lines.js';
import type { Series } from './svg.js';

export interface Plot {
  /** Its file, without the end. */
  readonly name: string;
  readonly caption: string;
  /** Column names that a table has which it can be drawn from. */
  readonly reads: readonly string[];
  draw(table: Table): string;
}

const SERIES: Readonly<Record<string, Series>> = {
  ours: 'ours',
  HyperDHT: 'hyperdht',
  'ssh -L': 'ssh',
  'wireguard-go': 'wireguard',
  'kernel TCP': 'tcp',
};
const seriesOf = (by: string): Series => SERIES[by] ?? 'other';

/** A row by the names of its columns; the first one, if a name is repeated. */
type Row = Readonly<Record<string, Cell>>;

const rowsOf = ({ columns, rows }: Table): Row[] =>
  rows.map((cells) => Object.fromEntries(columns.map(({ name }, index) => [name, cells[index] ?? null]).reverse()));

/** The median of several values; NaN where there is none. */
function numberOf(cell: Cell | undefined): number {
  if (typeof cell === 'number') return cell;
  return Array.isArray(cell) ? median(cell) : Number.NaN;
}

/** By what is in the column, in the order of its first appearance. */
function groups(rows: readonly Row[], column: string): (readonly [string, Row[]])[] {
  const found = new Map<string, Row[]>();
  for (const row of rows) {
    const key = String(row[column] ?? '');
    found.set(key, [...(found.get(key) ?? []), row]);
  }
  return [...found];
}

/** Of the columns of a row, the later ones in full colour. */
const barsOf = (row: Row, columns: readonly string[]): Bar[] =>
  columns.map((column, index) => ({ value: numberOf(row[column]), isPale: index < columns.length - 1 }));

const peers = (rows: readonly Row[]): Row[] => rows.filter(({ by }) => typeof by === 'string' && by in SERIES);

const rowsOfPeers = (rows: readonly Row[], barsOfRow: (row: Row) => Bar[]): BarRow[] =>
  peers(rows).map((row) => ({ label: String(row.by), series: seriesOf(String(row.by)), bars: barsOfRow(row) }));

const firstByte: Plot = {
  name: 'first-byte',
  caption: 'Time to first byte of a new client',
  reads: ['link', 'by', 'median', 'least', 'most'],
  draw: (table) =>
    barChart(
      {
        title: 'Time to first byte',
        legend: 'From exec of a new client, by link; the median, and from the least to the most.',
      },
      groups(rowsOf(table), 'link').map(([title, rows]): BarPanel => {
        const barsOfRow = (row: Row): Bar[] => [
          { value: numberOf(row.median), range: [numberOf(row.least), numberOf(row.most)] },
        ];
        return { title, unit: 's', rows: rowsOfPeers(rows, barsOfRow) };
      }),
    ),
};

const DIRECTIONS = ['down', 'up'] as const;

const links: Plot = {
  name: 'links',
  caption: 'MB/s by link',
  reads: ['link', 'by', 'down, first', 'down, later', 'up, first', 'up, later'],
  draw: (table) =>
    barChart(
      {
        title: 'MB/s by link',
        legend:
          'Left: down, right: up. Pale: the first transfer of a session; full, with its figure: later ones. Dashed: what the link lets through.',
      },
      groups(rowsOf(table), 'link').flatMap(([link, rows]) =>
        DIRECTIONS.map((direction): BarPanel => {
          const limit = numberOf(rows.find(({ by }) => by === 'limit')?.[`${direction}, later`]);
          return {
            title: `${link}: ${direction}`,
            unit: 'MB/s',
            rows: rowsOfPeers(rows, (row) => barsOf(row, [`${direction}, first`, `${direction}, later`])),
            ...(Number.isFinite(limit) && { limit: { value: limit, label: 'limit' } }),
          };
        }),
      ),
    ),
};

const roundTrip: Plot = {
  name: 'round-trip',
  caption: 'Round trip, idle and under load',
  reads: ['link', 'by', 'idle, 50 %', 'beside down, 50 %', 'beside up, 50 %'],
  draw: (table) =>
    barChart(
      {
        title: 'Round trip, idle and under load',
        legend: 'Medians. Pale: idle; full, with its figure: beside a transfer through the same tunnel.',
      },
      groups(rowsOf(table), 'link').flatMap(([link, rows]) => {
        const panel = (title: string, ...columns: readonly string[]): BarPanel => {
          return { title: `${link}: ${title}`, unit: 'ms', rows: rowsOfPeers(rows, (row) => barsOf(row, columns)) };
        };
        const busy = DIRECTIONS.filter((direction) =>
          rows.some((row) => Number.isFinite(numberOf(row[`beside ${direction}, 50 %`]))),
        );
        if (busy.length === 0) return [panel('idle', 'idle, 50 %')];
        return busy.map((direction) =>
          panel(`beside a transfer ${direction}`, 'idle, 50 %', `beside ${direction}, 50 %`),
        );
      }),
    ),
};

const tunnels: Plot = {
  name: 'tunnels',
  caption: 'Memory and processor by tunnels',
  reads: ['tunnels', 'by', 'resident', 'processor'],
  draw(table) {
    const panel = (column: string, title: string): CurvePanel => {
      const unit = table.columns.find(({ name }) => name === column)?.unit ?? '';
      const curves = groups(peers(rowsOf(table)), 'by').map(
        ([by, rows]): Curve => ({
          label: by,
          series: seriesOf(by),
          points: rows
            .map((row): [number, number] => [Number(row.tunnels), numberOf(row[column])])
            .filter(([x, y]) => x > 0 && Number.isFinite(y)),
        }),
      );
      return { title, xLabel: 'tunnels', yLabel: unit, curves: curves.filter(({ points }) => points.length > 0) };
    };
    return lineChart({ title: 'Memory and processor by tunnels', legend: 'Both ends together.' }, [
      panel('resident', 'Resident memory'),
      panel('processor', 'Processor'),
    ]);
  },
};

export const PLOTS: readonly Plot[] = [firstByte, links, roundTrip, tunnels];

/** Whether a table has all columns that the plot reads, and something in them. */
export const canDraw = (plot: Plot, { columns, rows }: Table): boolean =>
  rows.length > 0 && plot.reads.every((name) => columns.some((column) => column.name === name));
