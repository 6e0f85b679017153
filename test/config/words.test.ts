import t from 'tap';
import { keyWords, parseKeyWords, WordReader, wordLines } from '../../src/config/words.js';
import { PublicKey } from '../../src/tox/crypto/keys.js';
import { SeededRandom } from '../support/seeded-random.js';

const BYTES = Buffer.from('00112233445566778899aabbccddeeff0123456789', 'hex');

async function read(lines: readonly string[]): Promise<Buffer> {
  const reader = await WordReader.open();
  for (const line of lines) reader.add(line);
  return reader.finish();
}

/** The lines, with a word of one of them replaced. */
const withWord = (lines: readonly string[], line: number, word: number, text: string): string[] =>
  lines.map((one, at) => (at === line ? one.split(' ').with(word, text).join(' ') : one));

t.test('bytes of every length are read back from their words, with zeros behind them', async (t) => {
  const random = new SeededRandom(1);
  for (let length = 0; length <= 64; length += 1) {
    const bytes = random.bytes(length);
    const back = await read(await wordLines(bytes));
    t.same(back.subarray(0, length), bytes);
    t.ok(back.length < length + 7 && back.subarray(length).every((byte) => byte === 0), `${length} bytes`);
  }
});

t.test('the words of these bytes never change, because somebody may have written them down', async (t) => {
  t.same(await wordLines(BYTES.subarray(0, 8)), [
    'abandon math mimic master filter eyebrow',
    'describe abandon abandon abandon abandon achieve',
  ]);
});

t.test('capitals, numbers in front, more space, and words cut to four letters do not matter', async (t) => {
  const lines = await wordLines(BYTES);
  const typed = lines.map((line, at) => `  ${at + 1}. ${line.toUpperCase().replaceAll(' ', ',  ')}`);
  t.same(await read(typed), await read(lines));
  t.same(await read(lines.map((line) => line.replaceAll(/([a-z]{4})[a-z]*/g, '$1'))), await read(lines));
});

t.test('a reader knows which line comes next, and which was the last', async (t) => {
  const lines = await wordLines(BYTES);
  const reader = await WordReader.open();
  t.equal(lines.length, 4);
  for (const [at, line] of lines.entries()) {
    t.equal(reader.lineNumber, at + 1);
    t.equal(reader.isComplete, false);
    reader.add(line);
  }
  t.equal(reader.isComplete, true);
  t.throws(() => reader.add(lines[0] as string), { code: 'format', message: 'line 5 is one line too many' });
});

t.test('a word that was misheard is named by its line, and only this line is read again', async (t) => {
  const lines = await wordLines(BYTES);
  const reader = await WordReader.open();
  reader.add(lines[0] as string);
  const wrong = withWord(lines, 1, 2, 'zoo')[1] as string;
  t.throws(() => reader.add(wrong), {
    code: 'format',
    message: 'a word of line 2 is wrong: have the line read again',
  });
  for (const line of lines.slice(1)) reader.add(line);
  t.same(reader.finish(), await read(lines));
});

t.test('almost every wrong word is found: one of 1024 is not', async (t) => {
  const [line = '', ...rest] = await wordLines(BYTES);
  const words = new Set((await wordLines(new SeededRandom(2).bytes(200))).join(' ').split(' '));
  let found = 0;
  for (const word of words) {
    for (let at = 0; at < 6; at += 1) {
      if (line.split(' ')[at] === word) continue;
      const reader = await WordReader.open();
      try {
        reader.add(withWord([line, ...rest], 0, at, word)[0] as string);
      } catch {
        found += 1;
      }
    }
  }
  t.ok(found / (words.size * 6) > 0.995, `${found} of ${words.size * 6}`);
});

t.test('an unknown word is named with the nearest one', async (t) => {
  const lines = await wordLines(BYTES);
  const cases: [string, string][] = [
    ['aple', '"aple" in line 3 is not one of the words: did you mean "able"?'],
    ['abandonn', '"abandonn" in line 3 is not one of the words: did you mean "abandon"?'],
    ['qqqqqqqq', '"qqqqqqqq" in line 3 is not one of the words: have it spelled'],
  ];
  for (const [word, message] of cases) await t.rejects(read(withWord(lines, 2, 0, word)), { code: 'format', message });
});

t.test('a line that is left out, swapped, cut or too long is named', async (t) => {
  const lines = await wordLines(BYTES);
  const [one = '', two = '', three = '', four = ''] = lines;
  await t.rejects(read([one, three, four]), { message: 'this is line 3, but line 2 comes now' });
  await t.rejects(read([two, one, three, four]), { message: 'this is line 2, but line 1 comes now' });
  await t.rejects(read([one, two, three]), { message: 'line 4 is missing: add it and what follows it' });
  await t.rejects(read([]), { message: 'line 1 is missing: add it and what follows it' });
  await t.rejects(read([one, two.replace(/ \w+$/, '')]), { message: 'line 2 has 5 words: every line has 6' });
  await t.rejects(read([`${one} able`]), { message: 'line 1 has 7 words: every line has 6' });
});

t.test('a key has six words, which another key does not have', async (t) => {
  const key = new PublicKey(Buffer.alloc(32, 7));
  t.equal(await keyWords(key), 'trust total soup mad front female');
  t.not(await keyWords(new PublicKey(Buffer.alloc(32, 8))), await keyWords(key));
});

t.test('the words of a key are read as they are spoken, and a mistake is named', async (t) => {
  const words = 'trust total soup mad front female';
  for (const text of [words, 'TRUST, total; 3. Soup mad fron-female.']) t.equal(await parseKeyWords(text), words);
  for (const [text, message] of [
    ['trust total', 'a key has 6 words, and these are 2: compare and type all of them'],
    [`${words} female`, /these are 7/],
    [words.replace('soup', 'soupp'), /^"soupp" is not one of the words: did you mean "soup"/],
  ] as const) {
    await t.rejects(parseKeyWords(text), { code: 'format', message });
  }
});
