import { PassThrough } from 'node:stream';
import t from 'tap';
import { systemClock } from '../../../src/base/clock.js';
import { type LinkInput, LinkStream, readLink } from '../../../src/cli/tuntox/link-input.js';
import { parseLink } from '../../../src/config/link.js';
import { wordsOfLink } from '../../../src/config/link-words.js';

const ID = 'E776E9A993EE3CAE04F5946D9AC66FBBAA8C63A95A94B41942353C6DC1739B4B4C762C7DA7B9';
const LINK = `tuntox://${ID}/abcdefghijkmnpqrstuv/127.0.0.1:22`;

/** What a person at a terminal types, or what a pipe delivers; each text is what comes at once. */
function input(texts: readonly string[], isTerminal: boolean): LinkInput {
  const left = [...texts];
  return { isTerminal, read: async () => left.shift() };
}

/** Everything that is written to the terminal. */
async function typed(texts: readonly string[]): Promise<{ link: string; asked: string[] }> {
  const asked: string[] = [];
  return { link: await readLink(input(texts, true), (text) => asked.push(text)), asked };
}

const piped = (...texts: string[]): Promise<string> => readLink(input(texts, false), () => {});
const words = async (): Promise<readonly string[]> => (await wordsOfLink(parseLink(LINK))) ?? [];

t.test('a link is read from one line, from several, or from several pieces', async (t) => {
  t.equal(await piped(`${LINK}\n`), LINK);
  t.equal(await piped(`  ${LINK.slice(0, 50)}\n   ${LINK.slice(50)}\n`), LINK);
  t.equal(await piped(`${LINK.slice(0, 50)}\n`, `${LINK.slice(50)}\n`), LINK);
  t.equal(await piped('\n', `${LINK}\n`), LINK);
  const toxId = parseLink(LINK).serverId.toString();
  t.equal(await piped(`${toxId.slice(0, 70)}\n`, `${toxId.slice(70)}\n`), toxId);
});

t.test('a person is asked for each line of words, and again for one that is wrong', async (t) => {
  const lines = await words();
  const [one = '', two = '', ...rest] = lines.map((line) => `${line}\n`);
  const misheard = two.replace(/^\S+/, 'zoo');
  const { link, asked } = await typed([one, misheard, 'abandon abandn\n', two, ...rest]);
  t.equal(link, LINK);
  t.same(asked.slice(0, 8), [
    'paste the link, or type its words line by line\nline 1: ',
    'line 2: ',
    'a word of line 2 is wrong: have the line read again\n',
    'line 2: ',
    '"abandn" in line 2 is not one of the words: did you mean "abandon"?\n',
    'line 2: ',
    'line 3: ',
    'line 4: ',
  ]);
});

t.test('words that are pasted at once are read up to the line that is wrong', async (t) => {
  const lines = await words();
  const pasted = `${lines.join('\n')}\n`;
  t.equal((await typed([pasted])).link, LINK);
  t.equal(await piped(pasted), LINK);
  const wrong = lines.with(2, 'one two');
  const { link, asked } = await typed([`${wrong.join('\n')}\n`, ...lines.slice(2).map((line) => `${line}\n`)]);
  t.equal(link, LINK);
  t.match(asked[1], /^line 3 has 2 words|^"one" in line 3/);
});

t.test('a person who pastes a wrong link is asked again', async (t) => {
  const { link, asked } = await typed([`tuntox://${ID}\n`, `${LINK}\n`]);
  t.equal(link, LINK);
  t.match(asked, [/^paste the link, or/, /^this link is not complete/, /^paste the link: $/]);
});

t.test('the end of the input is an error that says what is missing', async (t) => {
  const lines = await words();
  // Each begins when the one before is over: a rejection that nobody awaits yet would be an error.
  const cases: [() => Promise<string>, RegExp][] = [
    [() => piped(), /^join -: there is no link on standard input$/],
    [() => piped('\n\n'), /^join -: there is no link on standard input$/],
    [() => piped(`tuntox://${ID}\n`), /^join -: this link is not complete/],
    [() => piped(`${lines.slice(0, 3).join('\n')}\n`), /^join -: line 4 is missing/],
    [() => piped('what is this\n'), /^join -: "is" in line 1 is not one of the words: have it spelled/],
    [() => piped(`${ID.slice(1)}\n`), /^join -: a Tox ID has 76 hex digits, this one has 75/],
    [() => readLink(input([`${lines[0]}\n`], true), () => {}), /^join -: line 2 is missing/],
  ];
  for (const [begin, message] of cases) await t.rejects(begin(), { code: 'usage', message });
});

t.test('a line is enough: the stream need not end', async (t) => {
  const stream = new PassThrough();
  const lines = new LinkStream(stream, systemClock);
  stream.write(LINK.slice(0, 20));
  stream.write(`${LINK.slice(20)}\n`);
  t.equal(await lines.read(), `${LINK}\n`);
  stream.end('last');
  t.equal(await lines.read(), 'last');
  t.equal(await lines.read(), undefined);
  lines.close();
  t.ok(stream.destroyed);
});

t.test('a stream without lines is read up to 4096 characters', async (t) => {
  const stream = new PassThrough();
  const lines = new LinkStream(stream, systemClock);
  stream.end('x'.repeat(100_000));
  t.equal((await lines.read())?.length, 4096);
});
