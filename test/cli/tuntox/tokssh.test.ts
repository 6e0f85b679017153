/** `tokssh` with a program in place of ssh that prints its words, one a line, and the secret of its environment. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { commandFile, Process } from '../../support/processes.js';
import { temporaryDirectory } from '../../support/temporary-directory.js';

const ID = 'E776E9A993EE3CAE04F5946D9AC66FBBAA8C63A95A94B41942353C6DC1739B4B4C762C7DA7B9';
const TUNTOX = `${process.execPath} ${commandFile('tuntox')}`;

async function run(t: Test, ...words: string[]): Promise<{ status: unknown; words: string[]; stderr: string }> {
  const home = temporaryDirectory(t);
  mkdirSync(join(home, '.tuntox'));
  writeFileSync(join(home, '.tuntox', 'hosts'), `box ${ID} stored\n`);
  writeFileSync(join(home, 'ssh'), '#!/bin/sh\nprintf "%s\\n" "$@" "secret:$TUNTOX_SHARED_SECRET"\nexit 7\n', {
    mode: 0o700,
  });
  const env = { HOME: home, PATH: `${home}:${process.env.PATH}` };
  const running = new Process('tokssh', process.execPath, [commandFile('tokssh'), ...words], { env });
  const status = await running.exited;
  return { status, words: running.stdout.trimEnd().split('\n'), stderr: running.stderr };
}

const options = (server: string, name: string): string[] => [
  ...['-o', `ProxyCommand=${TUNTOX} ${server} --ssh-pipe %p`],
  ...['-o', `HostName=${name}.tox`, '-o', 'StrictHostKeyChecking=accept-new'],
];

t.test('a Tox ID is reached as by the original script, and the status is that of ssh', async (t) => {
  t.same(await run(t, '-p', '2222', `user@${ID}`, 'two  words'), {
    status: 7,
    words: [
      ...['-p', '2222', ...options(`-i ${ID}`, ID.slice(0, 64).toLowerCase()), `user@${ID}`, 'two  words'],
      'secret:',
    ],
    stderr: '',
  });
});

t.test('a secret at the end is for tuntox, and warned of', async (t) => {
  const { words, stderr } = await run(t, ID, '-s', 'abc23');
  t.same(words.slice(-2), [ID, 'secret:abc23']);
  t.match(stderr, /^tokssh: other users can see the secret/);
});

t.test("a name of upstream's file is a host; a secret on the command line replaces the stored one", async (t) => {
  t.same((await run(t, 'user@box')).words, [...options('box', 'box'), 'user@box', 'secret:']);
  t.same((await run(t, 'box', '-s', 'abc')).words, [...options(`-i ${ID}`, 'box'), 'box', 'secret:abc']);
});

t.test('wrong words are explained', async (t) => {
  const cases: [string[], RegExp][] = [
    [['bxo'], /^tokssh: there is no host "bxo": did you mean "box"\? \(see tokssh --help\)\n$/],
    [[`root@${ID.slice(1)}`], /^tokssh: a Tox ID has 76 hex digits, this one has 75/],
    [['-v'], /^tokssh: an address is missing/],
  ];
  for (const [words, message] of cases) t.match(await run(t, ...words), { status: 2, stderr: message });
  for (const words of [[], ['-h'], ['-v', '--help']]) {
    const { status, words: printed } = await run(t, ...words);
    t.equal(status, 0);
    t.match(printed[0], /^tokssh - ssh over the Tox network/);
  }
});
