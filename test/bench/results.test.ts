import t from 'tap';
import type { Figure } from '../../bench/support/figures.js';
import { formatResults, type Table, tableOf } from '../../bench/support/results.js';

const lines = (table: Table): string[] =>
  formatResults({ title: 'title', ...table })
    .trimEnd()
    .split('\n');
const linesOf = (figures: readonly Figure[]): string[] => lines(tableOf(figures)).slice(1);

t.test('a table has columns, and a missed target is easy to see', async (t) => {
  const table = linesOf([
    { what: 'up', measured: '61 MB/s', mark: { text: '>= 60 MB/s', isReached: true } },
    { what: '  round trip', measured: '2 ms', mark: { text: '<= 1 ms', isReached: false }, note: 'of 100' },
  ]);
  t.same(table, [
    'what          measured  target          note',
    'up            61 MB/s   >= 60 MB/s ok',
    '  round trip  2 ms      <= 1 ms MISSED  of 100',
  ]);
});

t.test('a column without cells is left out', async (t) => {
  t.same(linesOf([{ what: 'a', measured: '1' }]), ['what  measured', 'a     1']);
});

t.test('a long note continues in its own column, within 80 columns', async (t) => {
  const note = 'a note of many words that go on and on and on until nobody wants to read them any more';
  const table = linesOf([{ what: 'x'.repeat(30), measured: 'y'.repeat(10), note }]);
  t.ok(table.length > 2);
  for (const line of table) t.ok(line.length <= 80, line);
  const start = (table[1] as string).indexOf('a note');
  t.ok(table.slice(2).every((line) => line.startsWith(' '.repeat(start)) && line[start] !== ' '));
  const words = table.slice(1).map((line) => line.slice(start));
  t.equal(words.join(' '), note, 'no word is lost');
});

const LINKS: Table = {
  columns: [{ name: 'link' }, { name: 'by' }, { name: 'first', unit: 'MB/s' }, { name: 'later', unit: 'MB/s' }],
  rows: [
    ['40 ms', 'TCP', 7.5, [110, 112, 114]],
    ['40 ms', 'ours', 31.2, null],
    ['home', 'TCP', 3.46, 3],
  ],
  notes: ['Something was left out.'],
};

t.test('values are aligned right, a first cell is not repeated, and notes follow', async (t) => {
  t.same(lines(LINKS), [
    'title',
    'link   by    first          later',
    '              MB/s           MB/s',
    '40 ms  TCP     7.5  112 (110-114)',
    '       ours     31',
    'home   TCP     3.5            3.0',
    'Something was left out.',
  ]);
});

t.test('a table that is too wide has its widest columns in several lines', async (t) => {
  const words = 'some words that go on and on and on until they are too many';
  const wide = lines({ columns: [{ name: 'a' }, { name: 'b' }, { name: 'c' }], rows: [[words, words, 1.5]] });
  t.equal(Math.max(...wide.map(({ length }) => length)), 80);
  t.equal(wide.length, 4);
  t.match(wide[2], / 1\.50$/);
});
