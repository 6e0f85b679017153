import t from 'tap';
import { columnsOf, fitted, harmless, harmlessJson, shortened, wrapped } from '../../src/base/columns.js';
import { tableLines } from '../../src/cli/table.js';

t.test('control characters, and those that change the writing direction, become visible', async (t) => {
  t.equal(harmless('a\u001b[2J\u0007\u009b\u202e\u2028\nb'), 'a\\x1b[2J\\x07\\x9b\\u202e\\u2028\\x0ab');
  t.equal(harmless('snow 雪 é 👍'), 'snow 雪 é 👍', 'all else stays');
  t.equal(harmless('half \ud83d pair'), 'half \\ud83d pair');
});

t.test('JSON without them is the same value', async (t) => {
  const value = { note: 'a\u009b\u202e\u007f\u001b👍' };
  const text = harmlessJson(JSON.stringify(value, undefined, 2));
  t.notMatch(text, /[\u007f-\u009f\u202e]/);
  t.same(JSON.parse(text), value);
});

t.test('the width of a text is in columns, not in characters', async (t) => {
  t.equal(columnsOf('abc'), 3);
  t.equal(columnsOf('雪が'), 4);
  t.equal(columnsOf('e\u0301'), 1);
  t.equal(columnsOf('👍'), 2);
  t.equal(columnsOf('☕✅'), 4);
  t.equal(columnsOf('🌡'), 1, 'one of the narrow ones');
});

t.test('lines break at spaces, and inside a word only if it is longer than a line', async (t) => {
  t.same(wrapped('one two three', 7), ['one two', 'three']);
  t.same(wrapped('abcdefgh ij', 3), ['abc', 'def', 'gh', 'ij']);
  t.same(wrapped('雪雪雪', 4), ['雪雪', '雪']);
  t.same(wrapped('short', Number.POSITIVE_INFINITY), ['short']);
  t.same(wrapped('  - a   bc d', 8), ['  - a', 'bc d'], 'other spaces stay');
  t.same(wrapped('  abcdef', 4), ['  ab', 'cdef']);
});

t.test('a text that is too wide is cut, and shows that', async (t) => {
  t.equal(shortened('short', 5), 'short');
  t.equal(shortened('longer', 5), 'long…');
  t.equal(shortened('雪雪雪', 4), '雪…');
  t.equal(shortened('雪雪', 2), '…');
  t.same(
    [1, 0].map((width) => shortened('ab', width)),
    ['…', ''],
  );
});

t.test('a table that is too wide wraps the columns that may get narrower', async (t) => {
  const columns = [{ heading: 'A' }, { heading: 'LONG', narrowest: 4 }];
  t.same(tableLines(columns, [['x', 'one two three']], 12), { heading: 'A  LONG', rows: ['x  one two', '   three'] });
  t.same(tableLines(columns, [['x', 'one two three']], 80).rows, ['x  one two three']);
});

t.test('the last cell of a short row may use the remaining columns', async (t) => {
  const columns = [{ heading: 'ID' }, { heading: 'IN' }, { heading: 'OUT' }];
  t.same(
    tableLines(
      columns,
      [
        ['1', 'connecting'],
        ['2', '1 B', '2 B'],
      ],
      80,
    ).rows,
    ['1   connecting', '2   1 B  2 B'],
  );
});

t.test('a text is broken between words for a terminal alone, and a long word stays whole', async (t) => {
  const text = 'a text of several words\nand averylongword';
  t.equal(fitted(text, { isTTY: true, columns: 10 }), 'a text of\nseveral\nwords\nand\naverylongword');
  t.equal(fitted(text, { columns: 10 }), text);
  t.equal(fitted(text, { isTTY: true, columns: 0 }), text, 'its size is not known');
});
