import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { type Cast, parseCast } from '../../../bench/recording/cast.js';
import { drawCasts, layOut } from '../../../bench/recording/draw.js';
import { ROOT } from '../../support/processes.js';

const cast = (...texts: readonly string[]): Cast => ({
  title: 'home',
  columns: 10,
  rows: 2,
  events: texts.map((text, at) => ({ at, text })),
});

t.test('a text starts where the previous one ended', async (t) => {
  t.same(layOut(cast('$ ', 'ls\r\n', 'a')), [
    { row: 0, column: 0, at: 0, text: '$ ' },
    { row: 0, column: 2, at: 1, text: 'ls' },
    { row: 1, column: 0, at: 2, text: 'a' },
  ]);
});

t.test('a line that is wider than the terminal continues in the next row', async (t) => {
  t.same(
    layOut(cast('0123456789ab')).map(({ row, text }) => [row, text]),
    [
      [0, '0123456789'],
      [1, 'ab'],
    ],
  );
  t.same(
    layOut(cast('0123456789\r\nab')).map(({ row, text }) => [row, text]),
    [
      [0, '0123456789'],
      [1, 'ab'],
    ],
  );
});

t.test('text appears at its time, and all of it is seen without animation', async (t) => {
  const svg = drawCasts([cast('$ ', 'a<b')], 'a run');
  t.match(svg, '@keyframes t1{0%{opacity:0}16.67%,100%{opacity:1}}.t1{animation:t1 6s step-end infinite}');
  t.match(svg, 'class="t1">a&lt;b</text>');
  t.match(svg, '@media(prefers-reduced-motion:reduce){*{animation:none!important}}');
  t.match(svg, '@media(prefers-color-scheme:dark)');
  t.notMatch(svg, / opacity="0"/);
});

t.test('the picture of README.md is drawn from its recordings, and small', async (t) => {
  const read = (name: string): string => readFileSync(join(ROOT, 'docs/recording', name), 'utf8');
  const svg = read('recording.svg');
  const [description = ''] = /(?<=<title>)[^<]+/.exec(svg) ?? [];
  t.equal(
    svg,
    drawCasts(
      ['home.cast', 'laptop.cast'].map((name) => parseCast(read(name))),
      description,
    ),
  );
  t.ok(svg.length < 200_000, `${svg.length} bytes`);
});
