import t from 'tap';
import { LineReader } from '../../src/control/line-reader.js';

t.test('gives the lines of a chunk, and keeps the beginning of the next one', async (t) => {
  const reader = new LineReader(100);
  t.same(reader.push(Buffer.from('one\ntwo\nthr')), ['one', 'two']);
  t.same(reader.push(Buffer.from('ee')), []);
  t.same(reader.push(Buffer.from('\n\n\n')), ['three'], 'empty lines are none');
});

t.test('puts characters together that were torn between chunks', async (t) => {
  const reader = new LineReader(100);
  const bytes = Buffer.from('grüße\n');
  for (const byte of bytes.subarray(0, -1)) t.same(reader.push(Buffer.from([byte])), []);
  t.same(reader.push(bytes.subarray(-1)), ['grüße']);
});

t.test('takes a line of the longest length, and refuses one byte more', async (t) => {
  t.same(new LineReader(4).push(Buffer.from('1234\n')), ['1234']);
  t.equal(new LineReader(4).push(Buffer.from('12345\n')), undefined);
  t.equal(new LineReader(4).push(Buffer.from('12345')), undefined, 'also before its end has come');
});
