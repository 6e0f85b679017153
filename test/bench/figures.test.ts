import t from 'tap';
import { atLeast, atMost, type Figure, formatFigures, short, spread } from '../../bench/support/figures.js';

const linesOf = (figures: readonly Figure[]): string[] => formatFigures(figures).trimEnd().split('\n');

t.test('a mark says whether it was reached, and its limit belongs to it', async (t) => {
  t.same(atMost(0.8, 0.8, 's'), { text: '<= 0.8 s', isReached: true });
  t.same(atMost(0.81, 0.8, 's'), { text: '<= 0.8 s', isReached: false });
  t.same(atLeast(60, 60, 'MB/s'), { text: '>= 60 MB/s', isReached: true });
  t.equal(atLeast(59.9, 60, 'MB/s').isReached, false);
});

t.test('what was not measured reaches no mark', async (t) => {
  t.equal(atMost(Number.NaN, 1, 's').isReached, false);
  t.equal(atLeast(Number.NaN, 1, 's').isReached, false);
});

t.test('numbers have as many digits as say something', async (t) => {
  t.same([0.431, 2.04, 19.96, 20.4, 431.2].map(short), ['0.43', '2.0', '20.0', '20', '431']);
});

t.test('several values are a median with the least and the most; one is itself', async (t) => {
  t.equal(spread([0.5, 0.4, 0.6], 's'), '0.50 (0.40-0.60) s');
  t.equal(spread([0.5], 's'), '0.50 s');
});

t.test('a table has columns, and a missed mark is easy to see', async (t) => {
  const lines = linesOf([
    { what: 'up', measured: '61 MB/s', mark: { text: '>= 60 MB/s', isReached: true } },
    { what: 'round trip', measured: '2 ms', mark: { text: '<= 1 ms', isReached: false }, note: 'of 100' },
  ]);
  t.same(lines, [
    'what        measured  mark            note',
    'up          61 MB/s   >= 60 MB/s ok',
    'round trip  2 ms      <= 1 ms MISSED  of 100',
  ]);
});

t.test('without notes there is no title for them', async (t) => {
  t.same(linesOf([{ what: 'a', measured: '1' }]), ['what  measured  mark', 'a     1']);
});

t.test('a long note goes on in its own column, within 80 columns', async (t) => {
  const note = 'a note of many words that go on and on and on until nobody wants to read them any more';
  const lines = linesOf([{ what: 'x'.repeat(30), measured: 'y'.repeat(10), note }]);
  t.ok(lines.length > 2);
  for (const line of lines) t.ok(line.length <= 80, line);
  const start = (lines[1] as string).indexOf('a note');
  t.ok(lines.slice(2).every((line) => line.startsWith(' '.repeat(start)) && line[start] !== ' '));
  const words = lines.slice(1).map((line) => line.slice(start));
  t.equal(words.join(' '), note, 'no word is lost');
});
