import t from 'tap';
import { canDraw, PLOTS, type Plot } from '../../../bench/page/plots.js';
import type { Table } from '../../../bench/support/results.js';

const plot = (name: string): Plot => PLOTS.find((one) => one.name === name) as Plot;
const columns = (...names: readonly string[]): Table['columns'] => names.map((name) => ({ name }));

const LINKS: Table = {
  columns: columns('link', 'by', 'down, first', 'down, later', 'up, first', 'up, later'),
  rows: [
    ['1 < 2 ms', 'limit', 12.5, 12.5, 12.5, 12.5],
    ['1 < 2 ms', 'HyperDHT', 5, 10, 5, null],
    ['1 < 2 ms', 'ours', 6, 12, 6, 12],
    ['1 < 2 ms', 'ours / HyperDHT', '1.20', '1.20', '1.20', ''],
  ],
};

/** Each tag of a kind, as its attributes. */
function tags(svg: string, name: string): Record<string, string>[] {
  return [...svg.matchAll(new RegExp(`<${name}((?: [\\w-]+="[^"]*")*)/?>`, 'g'))].map(([, attributes = '']) =>
    Object.fromEntries([...attributes.matchAll(/([\w-]+)="([^"]*)"/g)].map(([, key, value]) => [key, value])),
  );
}
const texts = (svg: string): string[] => [...svg.matchAll(/<text[^>]*>([^<]*)</g)].map(([, text]) => text as string);
const widths = (svg: string, series: string): number[] =>
  tags(svg, 'rect')
    .filter((rect) => rect.class === series)
    .map(({ width }) => Number(width));

t.test('a plot is drawn from the table that has rows and all its columns', async (t) => {
  t.ok(canDraw(plot('links'), LINKS));
  t.notOk(canDraw(plot('links'), { ...LINKS, rows: [] }));
  t.notOk(canDraw(plot('links'), { ...LINKS, columns: LINKS.columns.slice(1) }));
  t.same(
    PLOTS.filter((one) => canDraw(one, LINKS)).map(({ name }) => name),
    ['links'],
  );
});

t.test('bars are as long as their values, each peer in its class, the first transfers pale', async (t) => {
  const svg = plot('links').draw(LINKS);
  const [down = 0] = widths(svg, 'ours');
  t.same(widths(svg, 'hyperdht'), [Math.round((down * 10 * 10) / 12) / 10], 'and what was not measured has none');
  t.equal(widths(svg, 'ours pale')[0], Math.round((down * 10) / 2) / 10);
  t.notMatch(texts(svg).join(), 'ours /');
});

t.test('the limit of a link is a line where its value is', async (t) => {
  const svg = plot('links').draw(LINKS);
  const [limit, ...others] = tags(svg, 'line').filter((line) => line.class === 'limit');
  const bar = tags(svg, 'rect').find((rect) => rect.class === 'ours');
  const [start, end] = [Number(bar?.x), Number(bar?.x) + Number(bar?.width)];
  t.equal(others.length, 1, 'one in each panel');
  t.equal(limit?.x1, limit?.x2);
  t.ok(Math.abs(Number(limit?.x1) - (start + ((end - start) * 12.5) / 12)) < 0.2);
});

t.test('names are text: nothing in them is markup', async (t) => {
  const svg = plot('links').draw(LINKS);
  t.match(texts(svg).join('\n'), '1 &lt; 2 ms: down');
  t.notMatch(svg, '1 < 2');
});

t.test('the first byte has its range, and units are at the axis', async (t) => {
  const table = {
    columns: columns('link', 'by', 'median', 'least', 'most'),
    rows: [['40 ms', 'ours', 0.4, 0.3, 0.8]],
  };
  const svg = plot('first-byte').draw(table);
  const [range] = tags(svg, 'line').filter((line) => line.class === 'spread');
  const [width = 0] = widths(svg, 'ours');
  t.ok(Math.abs(Number(range?.x2) - Number(range?.x1) - (width * 0.5) / 0.4) < 0.2);
  t.ok(texts(svg).includes('0.8 s'));
});

t.test('a round trip has a panel for each way that was loaded, and one where none was', async (t) => {
  const names = ['link', 'by', 'idle, 50 %', '99 %', 'beside down, 50 %', '99 %', 'beside up, 50 %', '99 %'];
  const rows = [
    ['slow', 'ours', 40, 41, 60, 99, 80, 99],
    ['veth', 'ours', 0.5, 3, null, null, null, null],
  ];
  const svg = plot('round-trip').draw({ columns: columns(...names), rows });
  t.same(
    texts(svg).filter((text) => /^(slow|veth)/.test(text)),
    ['slow: beside a transfer down', 'slow: beside a transfer up', 'veth: idle'],
  );
  const [down = 0, up = 0] = widths(svg, 'ours');
  t.same(widths(svg, 'ours pale').map(Math.round), [(down * 40) / 60, up / 2].map(Math.round));
});

t.test('curves grow with the number of tunnels', async (t) => {
  const rows = [
    ['1', 'ours', 50, 1],
    ['10', 'ours', 50, 2],
    ['100', 'ours', 100, null],
    ['1', 'limit', 1, 1],
  ];
  const svg = plot('tunnels').draw({ columns: columns('tunnels', 'by', 'resident', 'processor'), rows });
  const curves = tags(svg, 'polyline').map(({ points = '' }) =>
    points.split(' ').map((one) => one.split(',').map(Number)),
  );
  t.same(
    curves.map(({ length }) => length),
    [3, 2],
    'one curve in each panel',
  );
  const [[x0, y0], [x1, y1], [x2, y2]] = curves[0] as [[number, number], [number, number], [number, number]];
  t.ok(Math.abs(x1 - x0 - (x2 - x1)) < 0.2);
  t.ok(y0 === y1 && y2 < y1);
});

t.test('every plot suits a dark page too', async (t) => {
  t.match(plot('links').draw(LINKS), '@media(prefers-color-scheme:dark)');
});
