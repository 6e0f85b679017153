/** Curves in panels: how something grows with something else. */
import { linearScale, logarithmicScale } from './scale.js';
import { type Drawing, drawing, element, HEAD, line, MARGIN, type Series, words } from './svg.js';

export interface Curve {
  readonly label: string;
  readonly series: Series;
  readonly points: readonly (readonly [x: number, y: number])[];
}

export interface CurvePanel {
  readonly title: string;
  /** With units. */
  readonly xLabel: string;
  readonly yLabel: string;
  readonly curves: readonly Curve[];
  readonly limit?: { readonly value: number; readonly label: string };
}

const PANEL_WIDTH = 420;
const PLOT_HEIGHT = 210;
const TITLE = 36;
const AXIS = 40;
const LEFT = 46;
/** For the names of the curves at their ends. */
const RIGHT = 84;
/** Between two names. */
const LINE = 13;

/** Panels in one row; x grows by powers of ten. */
export function lineChart(about: Pick<Drawing, 'title' | 'legend'>, panels: readonly CurvePanel[]): string {
  const drawn = panels.map((panel, index) => drawPanel(panel, MARGIN + index * (PANEL_WIDTH + MARGIN), HEAD + 14));
  const width = panels.length * (PANEL_WIDTH + MARGIN) + MARGIN;
  return drawing({ ...about, width, height: HEAD + 14 + TITLE + PLOT_HEIGHT + AXIS + MARGIN }, ...drawn);
}

function drawPanel({ title, xLabel, yLabel, curves, limit }: CurvePanel, left: number, top: number): string {
  const points = curves.flatMap((curve) => curve.points);
  const xs = logarithmicScale(points.map(([x]) => x));
  const limits = limit === undefined ? [] : [limit.value];
  const ys = linearScale([...points.map(([, y]) => y), ...limits]);
  const [start, end, bottom] = [left + LEFT, left + PANEL_WIDTH - RIGHT, top + TITLE + PLOT_HEIGHT];
  const x = (value: number): number => start + xs.at(value) * (end - start);
  const y = (value: number): number => bottom - ys.at(value) * PLOT_HEIGHT;
  const grid = [
    ...ys.ticks.flatMap((tick) => [
      line(start, y(tick), end, y(tick), 'grid'),
      words(start - 6, y(tick) + 4, String(tick), { class: 'end' }),
    ]),
    ...xs.ticks.flatMap((tick) => [
      line(x(tick), bottom, x(tick), bottom + 4, 'grid'),
      words(x(tick), bottom + 17, tick.toLocaleString('en'), { class: 'middle' }),
    ]),
  ];
  const mark =
    limit === undefined
      ? []
      : [line(start, y(limit.value), end, y(limit.value), 'limit'), words(start + 4, y(limit.value) - 4, limit.label)];
  return element(
    'g',
    {},
    words(left, top + 12, title, { class: 'panel' }),
    words(left, top + 28, yLabel, { class: 'faint' }),
    words((start + end) / 2, bottom + 34, xLabel, { class: 'middle faint' }),
    ...grid,
    ...mark,
    ...curves.map((curve) => drawCurve(curve, x, y)),
    ...names(curves, y, end + 8),
  );
}

function drawCurve({ series, points }: Curve, x: (value: number) => number, y: (value: number) => number): string {
  const at = points.map(([one, other]) => `${x(one).toFixed(1)},${y(other).toFixed(1)}`).join(' ');
  const dots = points.map(([one, other]) => element('circle', { cx: x(one), cy: y(other), r: 3, class: series }));
  return element('polyline', { points: at, class: series }) + dots.join('');
}

/** Each beside the end of its curve, or as near as the others let it be. */
function names(curves: readonly Curve[], y: (value: number) => number, left: number): string[] {
  const ends = curves
    .map((curve) => ({ ...curve, at: y(curve.points.at(-1)?.[1] ?? 0) }))
    .sort((one, other) => one.at - other.at);
  let last = Number.NEGATIVE_INFINITY;
  return ends.map(({ label, series, at }) => {
    last = Math.max(at, last + LINE);
    return words(left, last + 4, label, { class: `${series} name` });
  });
}
