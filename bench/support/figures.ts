/** The table that a benchmark prints: what was measured, the mark it has to reach, and a note. */
import { least, median, most } from './statistics.js';

export interface Figure {
  readonly what: string;
  readonly measured: string;
  readonly mark?: Mark | undefined;
  /** What it is to be compared with, or what it includes. */
  readonly note?: string | undefined;
}

export interface Mark {
  readonly text: string;
  readonly isReached: boolean;
}

const WIDTH = 80;
const GAP = '  ';
const HEADER = ['what', 'measured', 'mark', 'note'] as const;

/** "at most 1.5 s", held against a value in the same unit. */
export const atMost = (value: number, limit: number, unit: string): Mark => ({
  text: `<= ${limit} ${unit}`,
  isReached: value <= limit,
});

export const atLeast = (value: number, limit: number, unit: string): Mark => ({
  text: `>= ${limit} ${unit}`,
  isReached: value >= limit,
});

/** `0.43 (0.39-0.52) s`: the median, and the least and the most. */
export function spread(values: readonly number[], unit: string): string {
  if (values.length === 1) return `${short(median(values))} ${unit}`;
  return `${short(median(values))} (${short(least(values))}-${short(most(values))}) ${unit}`;
}

/** Three digits that say something: 0.0431, 0.43, 4.3, 43, 431. */
export function short(value: number): string {
  const size = Math.abs(value);
  if (size >= 20) return value.toFixed(0);
  if (size >= 2) return value.toFixed(1);
  return value.toFixed(2);
}

/** Lines of at most 80 columns; a last column that is too long goes on in the lines below. */
export function formatFigures(figures: readonly Figure[]): string {
  const rows = figures.map(({ what, measured, mark, note }) => [
    what,
    measured,
    mark === undefined ? '' : `${mark.text} ${mark.isReached ? 'ok' : 'MISSED'}`,
    note ?? '',
  ]);
  const hasNotes = rows.some((row) => row.at(-1) !== '');
  const header = HEADER.map((title, column) => (column < HEADER.length - 1 || hasNotes ? title : ''));
  const widths = HEADER.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)));
  const left = widths.slice(0, -1).reduce((sum, width) => sum + width + GAP.length, 0);
  const lines = [header, ...rows].flatMap((row) => {
    const head = row.slice(0, -1).map((cell, column) => cell.padEnd(widths[column] ?? 0));
    return wrap(row.at(-1) ?? '', WIDTH - left).map((tail, index) =>
      (index === 0 ? [...head, tail].join(GAP) : ' '.repeat(left) + tail).trimEnd(),
    );
  });
  return `${lines.join('\n')}\n`;
}

/** At least one line; a word that is longer than the width stays whole. */
function wrap(text: string, width: number): string[] {
  const lines = [''];
  for (const word of text.split(' ')) {
    const line = lines.at(-1) as string;
    if (line === '') lines[lines.length - 1] = word;
    else if (line.length + 1 + word.length <= width) lines[lines.length - 1] = `${line} ${word}`;
    else lines.push(word);
  }
  return lines;
}
