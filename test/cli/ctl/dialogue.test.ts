import { PassThrough } from 'node:stream';
import t from 'tap';
import { Dialogue, type InputStream } from '../../../src/cli/ctl/dialogue.js';

/** A terminal, or what looks like none, with what is typed on it. */
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

t.test('nothing but a clear yes is a yes', async (t) => {
  for (const [text, answer] of [
    ['y\n', true],
    [' YES \n', true],
    ['\n', false],
    ['no\n', false],
    ['yesterday\n', false],
  ] as const) {
    t.equal(await typing(text, true).dialogue.confirm('Go on?'), answer, JSON.stringify(text));
  }
});

t.test('a secret is typed without being shown, and can be corrected', async (t) => {
  const { dialogue, modes, questions } = typing('secrex\u007ft\r', true);
  t.equal(await dialogue.readHidden('New secret: ', 100), 'secret');
  t.same(modes, [true, false], 'the terminal is as before');
  t.same(questions, ['New secret: ', '\n']);
});

t.test('Ctrl-C while it is typed changes nothing', async (t) => {
  const { dialogue, modes } = typing('secr\u0003', true);
  await t.rejects(dialogue.readHidden('New secret: ', 100), { message: 'stopped: nothing has changed' });
  t.same(modes, [true, false]);
});

t.test('a secret from a file loses its line end, and nothing else', async (t) => {
  t.equal(await typing(' a b \r\n', false).dialogue.readHidden('', 100), ' a b ');
  await t.rejects(typing('x'.repeat(101), false).dialogue.readHidden('', 100), { code: 'usage' });
});
