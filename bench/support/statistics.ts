/** Statistics of a set of measured values. Machines are noisy: medians and extremes, never means. */

/** The value below which `fraction` of the values lie, interpolated; NaN of no values. */
export function quantile(values: readonly number[], fraction: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const position = fraction * (sorted.length - 1);
  const below = sorted[Math.floor(position)] ?? Number.NaN;
  const above = sorted[Math.ceil(position)] ?? Number.NaN;
  return below + (above - below) * (position - Math.floor(position));
}

export const median = (values: readonly number[]): number => quantile(values, 0.5);
export const least = (values: readonly number[]): number => quantile(values, 0);
export const most = (values: readonly number[]): number => quantile(values, 1);
/** Only of what a simulation counts, which has no noise. */
export const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;
