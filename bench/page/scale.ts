/** Where values stand on an axis, and which of them are written beside it. */

export interface Scale {
  /** From 0 to 1. */
  at(value: number): number;
  readonly ticks: readonly number[];
}

/** From nothing to a round number that none exceeds, with some four ticks. */
export function linearScale(values: readonly number[]): Scale {
  const most = Math.max(...values.filter(Number.isFinite), 0) || 1;
  const rough = most / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = ([1, 2, 5].find((factor) => factor * power >= rough * 0.999) ?? 10) * power;
  const count = Math.ceil(most / step - 1e-9);
  const ticks = Array.from({ length: count + 1 }, (_, index) => Number((index * step).toPrecision(6)));
  return { at: (value) => value / (count * step), ticks };
}

/** Each power of ten is as wide as the next; the ends are powers of ten. */
export function logarithmicScale(values: readonly number[]): Scale {
  const able = values.filter((value) => Number.isFinite(value) && value > 0);
  const first = Math.floor(Math.log10(Math.min(...able, 1e9)) + 1e-9);
  const last = Math.max(Math.ceil(Math.log10(Math.max(...able, 1e-9)) - 1e-9), first + 1);
  const ticks = Array.from({ length: last - first + 1 }, (_, index) => Number((10 ** (first + index)).toPrecision(1)));
  return { at: (value) => (Math.log10(value) - first) / (last - first), ticks };
}
