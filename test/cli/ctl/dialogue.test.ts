import { PassThrough } from 'node:stream';
import t from 'tap';
import { Dialogue, decodeText, type InputStream } from '../../../src/cli/ctl/dialogue.js';

/** A terminal, or an input that is none, with the text typed on it. */
function typing(text: string, isPerson: boolean) {
  const modes: boolean[] = [];
  const questions: string[] = [];
  const input = Object.assign(new PassThrough(), {
    isTTY: isPerson,
    setRawMode: (isRaw: boolean) => modes.push(isRaw),
  });
  input.write(text);
  if (!isPerson) input.end();
  const dialogue = new Dialogue(
    () => input as unknown as InputStream,
    (question) => questions.push(question),
    { isPerson },
  );
  return { dialogue, modes, questions };
}

t.test('only y and yes confirm', async (t) => {
  for (const [text, answer] of [
    ['y\n', true],
    [' YES \n', true],
    ['\n', false],
    ['no\n', false],
    ['yesterday\n', false],
  ] as const) {
    t.equal(await typing(text, true).dialogue.confirm('Continue?'), answer, JSON.stringify(text));
  }
});

t.test('a secret is not echoed while it is typed, and can be corrected', async (t) => {
  const { dialogue, modes, questions } = typing('secrex\u007ft\r', true);
  t.equal(await dialogue.readHidden('New secret: ', 100), 'secret');
  t.same(modes, [true, false], 'the terminal has its old mode');
  t.same(questions, ['New secret: ', '\n']);
});

t.test('Ctrl-C while a secret is typed changes nothing', async (t) => {
  const { dialogue, modes } = typing('secr\u0003', true);
  await t.rejects(dialogue.readHidden('New secret: ', 100), { message: 'cancelled: nothing has changed' });
  t.same(modes, [true, false]);
});

t.test('a secret from a file loses its line end and nothing else', async (t) => {
  t.equal(await typing(' a b \r\n', false).dialogue.readHidden('', 100), ' a b ');
  await t.rejects(typing('x'.repeat(101), false).dialogue.readHidden('', 100), { code: 'usage' });
});

t.test('a byte order mark is not part of a text', async (t) => {
  t.equal(decodeText(Buffer.from('\ufeffcorrect horse\n'), 'standard input'), 'correct horse\n');
});

t.test('UTF-16 of either byte order is refused, with advice', async (t) => {
  const little = Buffer.from('\ufeffcorrect horse', 'utf16le');
  for (const bytes of [little, Buffer.from(little).swap16()]) {
    t.throws(() => decodeText(bytes, 'standard input'), {
      code: 'usage',
      message: 'standard input is in UTF-16',
      hint: 'save it as UTF-8',
    });
  }
});
