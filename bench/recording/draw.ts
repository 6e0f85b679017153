/**
 * Recordings of terminals as one animated SVG: the terminals below each other, each piece of text visible from its time on, then
 * all again. A viewer that does not animate, or was asked for less motion, shows the end.
 */
import { element, escaped } from '../page/svg.js';
import type { Cast } from './cast.js';

/** Pixels. */
const COLUMN = 7.3;
const ROW = 17;
const FONT_SIZE = 12;
const PADDING = 12;
const TITLE_BAR = 24;
const GAP = 12;
/** Seconds for which the end is shown before all begins again. */
const PAUSE = 5;

/** A piece of a line, and the second from which it is visible. */
interface Piece {
  readonly row: number;
  readonly column: number;
  readonly at: number;
  readonly text: string;
}

/** Wraps the output at the width of the terminal. */
export function layOut({ columns, events }: Pick<Cast, 'columns' | 'events'>): Piece[] {
  const pieces: Piece[] = [];
  let row = 0;
  let column = 0;
  for (const { at, text } of events) {
    for (const [index, line] of text.split('\n').entries()) {
      if (index > 0) {
        row++;
        column = 0;
      }
      let rest = line.replace(/\r$/, '');
      while (rest !== '') {
        if (column === columns) {
          row++;
          column = 0;
        }
        const part = rest.slice(0, columns - column);
        pieces.push({ row, column, at, text: part });
        column += part.length;
        rest = rest.slice(part.length);
      }
    }
  }
  return pieces;
}

function style(times: readonly number[], length: number): string {
  const theme = (paper: string, bar: string, ink: string, faint: string, accent: string): string =>
    `.paper{fill:${paper};stroke:${bar}}.bar{fill:${bar}}text{fill:${ink}}.title{fill:${faint}}.prompt{fill:${accent}}`;
  const frames = times.map((at, index) => {
    const percent = Math.round((at / length) * 10_000) / 100;
    return `@keyframes t${index}{0%{opacity:0}${percent}%,100%{opacity:1}}.t${index}{animation:t${index} ${length}s step-end infinite}`;
  });
  return [
    `text{font:${FONT_SIZE}px ui-monospace,"DejaVu Sans Mono",Menlo,Consolas,monospace;white-space:pre}`,
    '.title{text-anchor:middle}.prompt{font-weight:700}',
    theme('#ffffff', '#e6e9ee', '#1f2328', '#57606a', '#0f7a4d'),
    `@media(prefers-color-scheme:dark){${theme('#12161c', '#2a313b', '#e4e8ee', '#a5afbb', '#45c78d')}}`,
    ...frames,
    '@media(prefers-reduced-motion:reduce){*{animation:none!important}}',
  ].join('');
}

const heightOf = ({ rows }: Cast): number => TITLE_BAR + 2 * PADDING + rows * ROW;

/** @returns a whole file; what is as wide as `columns` columns takes that much room whatever the font */
export function drawCasts(casts: readonly Cast[], description: string): string {
  const width = Math.ceil(Math.max(...casts.map(({ columns }) => columns)) * COLUMN) + 2 * PADDING;
  const height = casts.reduce((sum, cast) => sum + heightOf(cast), 0) + GAP * (casts.length - 1);
  const times = [...new Set(casts.flatMap(({ events }) => events.map(({ at }) => at)))].sort(
    (one, other) => one - other,
  );
  const length = Math.ceil((times.at(-1) ?? 0) + PAUSE);
  let top = 0;
  const terminals = casts.map((cast) => {
    const y = top;
    top += heightOf(cast) + GAP;
    const texts = layOut(cast).map(({ row, column, at, text }) => {
      const attributes = {
        x: PADDING + column * COLUMN,
        y: y + TITLE_BAR + PADDING + row * ROW + FONT_SIZE,
        textLength: text.trimEnd().length * COLUMN,
        class: `t${times.indexOf(at)}${text === '$ ' ? ' prompt' : ''}`,
      };
      return element('text', attributes, escaped(text.trimEnd()));
    });
    return [
      element('rect', { x: 0.5, y: y + 0.5, width: width - 1, height: heightOf(cast) - 1, rx: 7, class: 'paper' }),
      element('rect', { x: 0.5, y: y + 0.5, width: width - 1, height: TITLE_BAR, rx: 7, class: 'bar' }),
      element('text', { x: width / 2, y: y + 16, class: 'title' }, escaped(cast.title)),
      ...texts,
    ].join('\n');
  });
  const attributes = {
    xmlns: 'http://www.w3.org/2000/svg',
    viewBox: `0 0 ${width} ${height}`,
    width,
    height,
    role: 'img',
  };
  const head = [element('title', {}, escaped(description)), element('style', {}, style(times, length))];
  return `${element('svg', attributes, ...[...head, ...terminals].map((one) => `\n${one}`), '\n')}\n`;
}
