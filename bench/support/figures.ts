/** The simplest table of a benchmark: what was measured, the mark it has to reach, and a note. */
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
export function spread(values: readonly number[], unit = ''): string {
  const range = values.length === 1 ? '' : ` (${short(least(values))}-${short(most(values))})`;
  return `${short(median(values))}${range} ${unit}`.trimEnd();
}

/** Significant digits: 0.043, 0.43, 4.3, 43, 431. */
export function short(value: number): string {
  const size = Math.abs(value);
  if (size >= 20) return value.toFixed(0);
  if (size >= 2) return value.toFixed(1);
  return value.toFixed(size >= 0.1 || size === 0 ? 2 : 3);
}
