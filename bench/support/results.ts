/**
 * What a benchmark hands over: a table of cells, printed within 80 columns and written as JSON, from which the page of
 * docs/performance is made (bench/page.ts).
 */
import { type Figure, short, spread } from './figures.js';
import type { Machine } from './machine.js';

/** Text; a value in the unit of its column, or the values of several runs; null where nothing was measured. */
export type Cell = string | number | readonly number[] | null;

export interface Column {
  readonly name: string;
  readonly unit?: string;
}

export interface Table {
  readonly columns: readonly Column[];
  /** A first cell that is that of the row above is not repeated on paper. */
  readonly rows: readonly (readonly Cell[])[];
  /** Sentences: what was left out, what a figure includes. */
  readonly notes?: readonly string[];
}

export interface Results extends Table {
  readonly title: string;
  /** What measures it again. */
  readonly command: string;
  readonly machine: Machine;
}

const WIDTH = 80;
const GAP = '  ';

export const tableOf = (figures: readonly Figure[]): Table => ({
  columns: ['what', 'measured', 'target', 'note'].map((name) => ({ name })),
  rows: figures.map(({ what, measured, mark, note }) => [
    what,
    measured,
    mark === undefined ? null : `${mark.text} ${mark.isReached ? 'ok' : 'MISSED'}`,
    note ?? null,
  ]),
});

/** The rows as text. */
export function textOf({ rows }: Pick<Table, 'rows'>): string[][] {
  return rows.map((row, index) =>
    row.map((cell, column) => (column === 0 && index > 0 && cell === rows[index - 1]?.[0] ? '' : cellText(cell))),
  );
}

function cellText(cell: Cell): string {
  if (cell === null) return '';
  if (typeof cell === 'string') return cell;
  if (typeof cell === 'number') return short(cell);
  return cell.length === 0 ? '' : spread(cell);
}

/** Whether a column has values, which stand below each other by their last digit. */
export const isNumeric = ({ rows }: Pick<Table, 'rows'>, column: number): boolean =>
  rows.some((row) => (row[column] ?? null) !== null && typeof row[column] !== 'string');

/** Lines of at most 80 columns; the widest columns give way, and the rest of a cell continues in the lines below. */
export function formatResults({ title, columns, rows, notes = [] }: Omit<Results, 'command' | 'machine'>): string {
  const units = columns.some(({ unit }) => unit !== undefined) ? [columns.map(({ unit = '' }) => unit)] : [];
  const body = textOf({ rows });
  const used = columns.map((_, column) => column === 0 || rows.length === 0 || body.some((row) => row[column]));
  const keep = (row: readonly string[]): string[] => row.filter((_, column) => used[column]);
  const lines = [columns.map(({ name }) => name), ...units, ...body].map(keep);
  const alignments = columns.map((_, column) => isNumeric({ rows }, column)).filter((_, column) => used[column]);
  const widths = fit(lines);
  const table = lines.flatMap((row) => {
    const wrapped = row.map((cell, column) => wrap(cell, widths[column] ?? 0));
    const height = Math.max(...wrapped.map(({ length }) => length));
    return Array.from({ length: height }, (_, line) =>
      wrapped
        .map((cell, column) => {
          const text = cell[line] ?? '';
          const width = widths[column] ?? 0;
          return alignments[column] ? text.padStart(width) : text.padEnd(width);
        })
        .join(GAP)
        .trimEnd(),
    );
  });
  return `${[title, ...table, ...notes.flatMap((note) => wrap(note, WIDTH))].join('\n')}\n`;
}

/** Widths with which the lines fit, if no word has to be cut for that. */
function fit(lines: readonly (readonly string[])[]): number[] {
  const of = (length: (cell: string) => number): number[] =>
    (lines[0] ?? []).map((_, column) => Math.max(...lines.map((row) => length(row[column] ?? ''))));
  const least = of((cell) =>
    Math.max(
      ...cell
        .trimStart()
        .split(' ')
        .map(({ length }) => length),
    ),
  );
  const widths = of(({ length }) => length);
  const sum = (): number => widths.reduce((total, width) => total + width + GAP.length, -GAP.length);
  while (sum() > WIDTH) {
    const able = widths.map((width, column) => (width > (least[column] ?? 0) ? width : 0));
    const widest = able.indexOf(Math.max(...able));
    if (able[widest] === 0) break;
    widths[widest] = (widths[widest] ?? 0) - 1;
  }
  return widths;
}

/** At least one line; a word that is longer than the width stays whole, and so do the blanks in front. */
function wrap(text: string, width: number): string[] {
  const indentation = text.slice(0, text.length - text.trimStart().length);
  const [first = '', ...words] = text.trimStart().split(' ');
  const lines = [indentation + first];
  for (const word of words) {
    const line = lines.at(-1) as string;
    if (line.length + 1 + word.length <= width) lines[lines.length - 1] = `${line} ${word}`;
    else lines.push(word);
  }
  return lines;
}
