/** Bars lying side by side in panels, each with a scale of its own: what can be compared is in one panel. */
import { short } from '../support/figures.js';
import { linearScale } from './scale.js';
import { type Drawing, drawing, element, HEAD, line, MARGIN, type Series, words } from './svg.js';

export interface Bar {
  readonly value: number;
  /** The least and the most of several runs. */
  readonly range?: readonly [number, number];
  /** Fainter than the others of its row. */
  readonly isPale?: boolean;
}

export interface BarRow {
  readonly label: string;
  readonly series: Series;
  readonly bars: readonly Bar[];
}

export interface BarPanel {
  readonly title: string;
  readonly unit: string;
  readonly rows: readonly BarRow[];
  readonly limit?: { readonly value: number; readonly label: string };
}

const PANEL_WIDTH = 420;
const ROW = 20;
const BAR = 12;
const TITLE = 20;
const AXIS = 26;
const GAP = 14;
const LABELS = 88;
/** For the figure at the end of the longest bar. */
const FIGURE = 40;

const heightOf = ({ rows }: BarPanel): number => TITLE + rows.length * ROW + AXIS;

/** Panels in two columns, row by row. */
export function barChart(about: Pick<Drawing, 'title' | 'legend'>, panels: readonly BarPanel[]): string {
  const pairs = Array.from({ length: Math.ceil(panels.length / 2) }, (_, index) =>
    panels.slice(2 * index, 2 * index + 2),
  );
  let top = HEAD;
  const drawn = pairs.flatMap((pair) => {
    const y = top + GAP;
    top = y + Math.max(...pair.map(heightOf));
    return pair.map((panel, column) => drawPanel(panel, MARGIN + column * (PANEL_WIDTH + MARGIN), y));
  });
  return drawing({ ...about, width: 2 * PANEL_WIDTH + 3 * MARGIN, height: top + MARGIN }, ...drawn);
}

function drawPanel({ title, unit, rows, limit }: BarPanel, left: number, top: number): string {
  const all = rows.flatMap(({ bars }) => bars.flatMap(({ value, range = [] }) => [value, ...range]));
  const scale = linearScale(limit === undefined ? all : [...all, limit.value]);
  const start = left + LABELS;
  const x = (value: number): number => start + scale.at(value) * (PANEL_WIDTH - LABELS - FIGURE);
  const first = top + TITLE;
  const bottom = first + rows.length * ROW;
  const ticks = scale.ticks.flatMap((tick, index) => [
    line(x(tick), first, x(tick), bottom + 4, 'grid'),
    words(x(tick), bottom + 17, `${tick}${index === scale.ticks.length - 1 ? ` ${unit}` : ''}`, { class: 'middle' }),
  ]);
  const limits =
    limit === undefined
      ? []
      : [
          line(x(limit.value), first - 4, x(limit.value), bottom, 'limit'),
          words(x(limit.value), first - 7, limit.label, { class: x(limit.value) > left + 200 ? 'end' : undefined }),
        ];
  return element(
    'g',
    {},
    words(left, top + 12, title, { class: 'panel' }),
    ...ticks,
    ...limits,
    ...rows.map((row, index) => drawRow(row, start, first + index * ROW, x)),
  );
}

function drawRow({ label, series, bars }: BarRow, start: number, top: number, x: (value: number) => number): string {
  const middle = top + ROW / 2;
  const height = BAR / Math.max(bars.length, 1);
  const drawn = bars.flatMap(({ value, range, isPale }, index) => {
    if (!Number.isFinite(value)) return [];
    const y = middle - BAR / 2 + index * height;
    const kind = `${series}${isPale ? ' pale' : ''}`;
    const bar = element('rect', {
      x: start,
      y,
      width: Math.max(x(value) - start, 1),
      height: height - 0.5,
      class: kind,
    });
    return range === undefined
      ? [bar]
      : [bar, line(x(range[0]), y + height / 2, x(range[1]), y + height / 2, 'spread')];
  });
  const known = bars.filter(({ value }) => Number.isFinite(value));
  const end = Math.max(start, ...known.flatMap(({ value, range = [] }) => [value, ...range].map(x)));
  const figure = known.length === 0 ? 'not measured' : short(known.at(-1)?.value ?? 0);
  const text = words(end + 4, middle + 4, figure, { class: known.length === 0 ? 'faint' : 'figure' });
  return [words(start - 6, middle + 4, label, { class: 'end' }), ...drawn, text].join('');
}
