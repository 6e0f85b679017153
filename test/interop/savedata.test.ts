/** One identity, taken over from libtoxcore and given back. */
import { copyFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { addressOf, C_PATIENCE, C_WORLD, startCPeer } from '../support/c-peer.js';
import { startBootstrapd, startTuntox } from '../support/processes.js';
import { requirementsMet } from '../support/requirements.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

/** A port without a listener: no node of the internet is asked, so nodes can only come from the file. */
const NOWHERE = `127.0.0.1:9:${'0'.repeat(63)}9`;

/** Lets our server run with a directory, until it is online if that is wanted; gives its Tox ID. */
async function runServer(t: Test, directory: string, ...[bootstrap]: string[]): Promise<string> {
  const server = startTuntox(['-C', directory, '--insecure-open', '--bootstrap', bootstrap ?? NOWHERE]);
  t.teardown(() => server.stop('SIGKILL'));
  const id = (await server.waitFor(/^([0-9A-F]{76})\n/))[1] as string;
  if (bootstrap !== undefined) await server.waitFor(/online: /);
  t.equal(await server.stop(), 0);
  return id;
}

t.test('a tox_save goes from libtoxcore to us and back', async (t) => {
  if (!requirementsMet(t, ...C_WORLD)) return;
  const node = await startBootstrapd();
  t.teardown(() => node.process.stop());
  const friend = await startCPeer(['friend']);
  t.teardown(() => friend.stop());
  const directory = temporaryDirectory(t);
  const file = join(directory, 'tox_save');
  const start = async (...args: string[]) => {
    const peer = await startCPeer(args);
    t.teardown(() => peer.stop());
    return peer;
  };
  // It takes its nine seconds, while the tests before the one that needs it run.
  const withNodes = join(temporaryDirectory(t), 'tox_save');
  const making = await start('make-save', '--save', withNodes, '--bootstrap', node.argument);

  let id = '';
  await t.test('we read what libtoxcore wrote, including friends', async (t) => {
    const add = ['--add', await addressOf(friend), '--save', file, '--save-friends'];
    const peer = await start('friend', ...add, '--bootstrap', node.argument);
    id = await addressOf(peer);
    // libtoxcore adds a friend at once, but our C peer does not before it is connected.
    await peer.waitFor(/^REQUEST sent/m, C_PATIENCE);
    await peer.stop();
    t.equal(await runServer(t, directory), id);
  });

  await t.test('libtoxcore reads what we wrote, with the friend that it had', async (t) => {
    t.equal(await runServer(t, directory, node.argument), id, 'with nodes in it now');
    const before = readFileSync(file);
    const friendKey = Buffer.from((await addressOf(friend)).slice(0, 64), 'hex');
    t.ok(before.includes(friendKey), 'the friend is still there');
    const peer = await start('friend', '--save', file);
    t.equal(await addressOf(peer), id);
  });

  await t.test(
    'an identity that we made is one for libtoxcore, which finds the network through our nodes',
    async (t) => {
      const own = temporaryDirectory(t);
      const ownId = await runServer(t, own, node.argument);
      const peer = await start('friend', '--save', join(own, 'tox_save'));
      t.equal(await addressOf(peer), ownId);
      await peer.waitFor(/^SELF (udp|tcp)$/m, C_PATIENCE);
    },
  );

  await t.test('we find the network through the nodes that libtoxcore saved', async (t) => {
    await making.waitFor(/^SAVED/m, C_PATIENCE);
    const theirs = temporaryDirectory(t);
    copyFileSync(withNodes, join(theirs, 'tox_save'));
    const server = startTuntox(['-C', theirs, '--insecure-open', '--bootstrap', NOWHERE]);
    t.teardown(() => server.stop('SIGKILL'));
    await server.waitFor(/online: /);
    t.match(server.stdout, await addressOf(making));
  });
});
