/** What the daemon's log says of whom it serves. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { TestDaemon } from './support/test-daemon.js';

const ID = 'E776E9A993EE3CAE04F5946D9AC66FBBAA8C63A95A94B41942353C6DC1739B4B4C762C7DA7B9';

const served = (daemon: TestDaemon): string[] =>
  daemon.said
    .join('')
    .split('\n')
    .flatMap((line) => /serving .*/.exec(line)?.[0] ?? []);

t.test(
  'at start the log says whom the daemon serves and what they may reach, and again when a reload changes it',
  async (t) => {
    const daemon = await TestDaemon.start(t);
    const everything = 'who may reach all that this machine reaches, itself included';
    t.same(served(daemon), [`serving nobody yet, ${everything}`]);

    await daemon.call('whitelist.add', { id: ID });
    daemon.daemon.reload();
    const listed = 'serving clients of the whitelist (1 entry)';
    t.same(served(daemon).slice(1), [`${listed}, ${everything}`]);
    daemon.daemon.reload();
    t.equal(served(daemon).length, 2, 'nothing new');

    const rules = join(daemon.directory, 'rules');
    writeFileSync(rules, 'localhost:22\n');
    daemon.configure(`targets:\n  rules_file: ${rules}\n`);
    daemon.daemon.reload();
    t.same(served(daemon).slice(2), [`${listed}, who may reach what ${rules} allows`]);
  },
);

t.test('with a secret and a whitelist the log says whether one of them is enough', async (t) => {
  for (const [require, text] of [
    ['all', 'clients of the whitelist (1 entry) that have the secret'],
    ['any', 'clients of the whitelist (1 entry) and whoever has the secret'],
  ] as const) {
    const daemon = await TestDaemon.start(t, { config: `access:\n  require: ${require}\n` });
    await daemon.call('whitelist.add', { id: ID });
    await daemon.call('secret.set', { secret: 'a secret of some length', confirmed: true });
    daemon.daemon.reload();
    t.match(served(daemon).at(-1), text);
  }
});
