/** A table that fits a width: columns that may shrink wrap their cells. Pure. */
import { columnsOf, harmless, padded, wrapped } from '../base/columns.js';

export interface Column {
  readonly heading: string;
  /** The least width. A column without it does not shrink. */
  readonly narrowest?: number;
  /** Spaces before the column. */
  readonly gap?: number;
}

/** Spaces between columns: as a rule, and in a table that is too wide. */
const GAP = 2;
const NARROW_GAP = 1;

/**
 * @param rows a row may have fewer cells: its last one then spans the remaining columns
 * @param width columns of the terminal; Infinity when there is none
 * @returns the lines of the heading and the rows
 */
export function tableLines(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  width: number,
): { readonly heading: string; readonly rows: string[] } {
  const cells = rows.map((row) => row.map(harmless));
  const widths = naturalWidths(columns, cells);
  let gaps = columns.map(({ gap = GAP }, index) => (index === 0 ? 0 : gap));
  const total = (): number => sum(widths) + sum(gaps);
  while (total() > width) {
    const index = widestThatMayShrink(columns, widths);
    if (index === undefined) break;
    widths[index] = (widths[index] as number) - 1;
  }
  if (total() > width) gaps = gaps.map((gap) => Math.min(gap, NARROW_GAP));
  const line = (row: readonly string[]): string =>
    row
      .map((cell, index) => ' '.repeat(gaps[index] as number) + padded(cell, widths[index] as number))
      .join('')
      .trimEnd();
  return {
    heading: line(columns.map(({ heading }) => heading)),
    rows: cells.flatMap((row) => {
      const parts = row.map((cell, index) => wrapped(cell, isSpilling(row, index, columns) ? width : widths[index]!));
      const height = Math.max(1, ...parts.map(({ length }) => length));
      return Array.from({ length: height }, (_, at) => line(parts.map((part) => part[at] ?? '')));
    }),
  };
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0);

const isSpilling = (row: readonly string[], index: number, columns: readonly Column[]): boolean =>
  index === row.length - 1 && row.length < columns.length;

function naturalWidths(columns: readonly Column[], rows: readonly (readonly string[])[]): number[] {
  const widths = columns.map(({ heading }) => columnsOf(heading));
  for (const row of rows) {
    for (const [index, cell] of row.entries()) {
      if (!isSpilling(row, index, columns)) widths[index] = Math.max(widths[index] as number, columnsOf(cell));
    }
  }
  for (const row of rows) {
    if (row.length === 0 || row.length === columns.length) continue;
    const free = sum(widths.slice(row.length - 1)) + GAP * (columns.length - row.length);
    const last = widths.length - 1;
    widths[last] = (widths[last] as number) + Math.max(0, columnsOf(row.at(-1) as string) - free);
  }
  return widths;
}

function widestThatMayShrink(columns: readonly Column[], widths: readonly number[]): number | undefined {
  let widest: number | undefined;
  for (const [index, { narrowest }] of columns.entries()) {
    const width = widths[index] as number;
    if (narrowest !== undefined && width > narrowest && width > (widest === undefined ? 0 : (widths[widest] as number)))
      widest = index;
  }
  return widest;
}
