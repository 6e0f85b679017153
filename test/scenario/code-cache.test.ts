/** The compiled code that a client leaves to the next one. */
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { CommandNetwork, SECRET } from '../support/command-network.js';
import { startTuntox } from '../support/processes.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

t.test('a client that reached its server leaves compiled code, which the next one uses', async (t) => {
  const network = await CommandNetwork.start(t);
  const { id } = await network.server();
  const home = temporaryDirectory(t);
  const run = (...args: readonly string[]) =>
    startTuntox(args, { env: { HOME: home, TUNTOX_SHARED_SECRET: SECRET } }).waitForEnd();
  const cache = join(home, '.cache/tuntox');
  const stored = () => readdirSync(cache).map((name) => `${name} ${statSync(join(cache, name)).ino}`);

  t.equal(await run('--version'), 0);
  t.notOk(existsSync(cache), 'nothing of a command that reaches no server');
  t.equal(await run('-i', id, '-p', ...network.node), 0);
  const first = stored();
  t.equal(first.length, 1);
  t.equal(await run('-i', id, '-p', ...network.node), 0);
  t.same(stored(), first);
});
