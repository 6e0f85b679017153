/** What the log says about the clients that the daemon admits. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { TestDaemon } from './support/test-daemon.js';

const ID = 'E776E9A993EE3CAE04F5946D9AC66FBBAA8C63A95A94B41942353C6DC1739B4B4C762C7DA7B9';

const served = (daemon: TestDaemon): string[] =>
  daemon.said
    .join('')
    .split('\n')
    .flatMap((line) => /admitting .*/.exec(line)?.[0] ?? []);

t.test(
  'at the start and after each change the log says which clients are admitted and what they may reach',
  async (t) => {
    const daemon = await TestDaemon.start(t);
    const everything = 'clients may reach everything that this machine reaches, including itself';
    t.same(served(daemon), [`admitting no client yet; ${everything}`]);

    await daemon.call('whitelist.add', { id: ID });
    daemon.daemon.reload();
    const listed = 'admitting the clients on the whitelist (1)';
    t.same(served(daemon).slice(1), [`${listed}; ${everything}`]);
    daemon.daemon.reload();
    t.equal(served(daemon).length, 2, 'nothing new');

    const rules = join(daemon.directory, 'rules');
    writeFileSync(rules, 'localhost:22\n');
    daemon.configure(`targets:\n  rules_file: ${rules}\n`);
    daemon.daemon.reload();
    t.same(served(daemon).slice(2), [`${listed}; clients may reach what ${rules} allows`]);
  },
);

t.test('with a secret and a whitelist the log says whether one of them is enough', async (t) => {
  for (const [require, text] of [
    ['all', 'the clients on the whitelist (1) if they have the secret'],
    ['any', 'the clients on the whitelist (1), and every client that has the secret'],
  ] as const) {
    const daemon = await TestDaemon.start(t, { config: `access:\n  require: ${require}\n` });
    await daemon.call('whitelist.add', { id: ID });
    await daemon.call('secret.set', { secret: 'a secret of some length', confirmed: true });
    daemon.daemon.reload();
    t.match(served(daemon).at(-1), text);
  }
});
