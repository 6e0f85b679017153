/** Which clients are admitted, between ours and libtoxcore's, in both roles: a secret, a whitelist, and the same keys again. */
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { controlOf, daemonPlace, startDaemon } from '../scenario/support/daemon-command.js';
import { addressOf, C_PATIENCE, C_WORLD, startCPeer } from '../support/c-peer.js';
import { type Process, startBootstrapd, startTuntox } from '../support/processes.js';
import { requirementsMet } from '../support/requirements.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

const SECRET = 'canary in the mine';
const WRONG = 'canary guess';

/** The Tox ID of a new identity, which is kept in a file for the C peer. */
async function newCIdentity(file: string): Promise<string> {
  const peer = await startCPeer(['friend', '--save', file]);
  const id = await addressOf(peer);
  await peer.stop();
  return id;
}

/** The Tox ID of a new identity of ours, which is kept in a directory. */
async function newIdentity(directory: string): Promise<string> {
  // A port without a listener: no node of the internet is asked.
  const nowhere = `127.0.0.1:9:${'0'.repeat(63)}9`;
  const peer = startTuntox(['-C', directory, '--insecure-open', '--bootstrap', nowhere]);
  const id = (await peer.waitFor(/^([0-9A-F]{76})\n/))[1] as string;
  await peer.stop();
  return id;
}

const ours = (t: Test, secret: string, ...args: string[]): Process => {
  const process = startTuntox(args, { env: { TUNTOX_SHARED_SECRET: secret } });
  t.teardown(() => process.stop('SIGKILL'));
  return process;
};
const theirs = async (t: Test, ...args: string[]): Promise<Process> => {
  const process = await startCPeer(args);
  t.teardown(() => process.stop('SIGKILL'));
  return process;
};

t.test('which clients are admitted', async (t) => {
  if (!requirementsMet(t, ...C_WORLD)) return;
  const node = await startBootstrapd();
  t.teardown(() => node.process.stop());
  const network = ['--bootstrap', node.argument];
  const directory = temporaryDirectory(t);
  const [listedC, strangerC] = [join(directory, 'listed-c'), join(directory, 'stranger-c')];
  const [listed, stranger] = [join(directory, 'listed'), join(directory, 'stranger')];
  const listedCId = await newCIdentity(listedC);
  const [listedId, strangerId] = await Promise.all([newIdentity(listed), newIdentity(stranger)]);

  const server = ours(t, SECRET, '-C', join(directory, 'server'), '-i', listedCId, '-i', listedId, ...network);
  const id = (await server.waitFor(/^([0-9A-F]{76})\n/))[1] as string;
  const serverC = await theirs(t, 'server', '--secret', SECRET, '--allow', listedId, ...network);
  const idC = await addressOf(serverC);

  const askC = (save: string, secret: string): Promise<Process> =>
    theirs(t, 'client', '--id', id, '--secret', secret, '--save', save, '-p', ...network);
  const ask = (server: string, directory: string, secret: string): Process =>
    ours(t, secret, '-p', '-i', server, '-C', directory, ...network);

  // At once all that libtoxcore takes its ten seconds for.
  const wrongC = await askC(listedC, WRONG);
  const unlistedC = await askC(strangerC, SECRET);
  const wrongAtC = ask(idC, join(directory, 'wrong'), WRONG);
  const unlistedAtC = ask(idC, join(directory, 'unlisted'), SECRET);

  await t.test('our server refuses our client, then admits it with the same key', async (t) => {
    const wrong = ask(id, listed, WRONG);
    await server.waitFor(new RegExp(`${listedId.slice(0, 8)}: refused, it sent a wrong secret`));
    t.equal(await wrong.stop('SIGINT'), 130);
    const unlisted = ask(id, stranger, SECRET);
    await server.waitFor(new RegExp(`${strangerId.slice(0, 8)}: refused, it is not on the whitelist`));
    t.equal(await unlisted.stop('SIGINT'), 130);
    const right = ask(id, listed, SECRET);
    t.equal(await right.exited, 0, right.stderr);
  });

  await t.test(
    'a libtoxcore client with a wrong secret is refused, and let in with the right one, as a messenger sends it',
    async (t) => {
      await server.waitFor(new RegExp(`${listedCId.slice(0, 8)}: refused, it sent a wrong secret`), C_PATIENCE);
      await wrongC.stop();
      t.notMatch(wrongC.stdout, /PONG|^FRIEND 0 (udp|tcp)/m);
      // A messenger has no zero byte behind the text.
      const text = Buffer.from(SECRET).toString('hex');
      const right = await theirs(t, 'client', '--id', id, '--message', text, '--save', listedC, '-p', ...network);
      t.equal(await addressOf(right), listedCId, 'the same key');
      await right.waitFor(/^PONG/m, C_PATIENCE);
      t.equal(await right.exited, 0);
    },
  );

  await t.test('a libtoxcore client that is not on the whitelist is refused', async (t) => {
    const unlistedId = await addressOf(unlistedC);
    await server.waitFor(new RegExp(`${unlistedId.slice(0, 8)}: refused, it is not on the whitelist`), C_PATIENCE);
    t.notMatch(unlistedC.stdout, /PONG|^FRIEND 0 (udp|tcp)/m);
  });

  await t.test(
    'a libtoxcore server refuses ours for the same reasons, and admits a client with the right secret',
    async (t) => {
      await serverC.waitFor(/^REQUEST refused wrong secret$/m, C_PATIENCE);
      await serverC.waitFor(/^REQUEST refused not whitelisted$/m, C_PATIENCE);
      t.notMatch(serverC.stdout, /REQUEST accepted/);
      const right = ask(idC, listed, SECRET);
      t.equal(await right.exited, 0, right.stderr);
      t.equal(wrongAtC.stdout + unlistedAtC.stdout, '');
    },
  );

  await server.stop();
  t.notMatch(server.stderr, 'canary', 'no secret in the log, neither ours nor a guess');
});

t.test('a libtoxcore client that was refused is admitted as soon as the owner of the daemon approves it', async (t) => {
  if (!requirementsMet(t, ...C_WORLD)) return;
  const node = await startBootstrapd();
  t.teardown(() => node.process.stop());
  const place = daemonPlace(t, node.argument);
  const daemon = await startDaemon(t, place);
  const control = await controlOf(t, place);
  const { toxId } = await control.call('id', {});
  const client = await theirs(t, 'client', '--id', toxId, '-p', '--bootstrap', node.argument);
  const key = (await addressOf(client)).slice(0, 64).toLowerCase();
  await daemon.waitFor(/refused, this server admits no clients/, C_PATIENCE);
  const { clients } = await control.call('clients.pending', {});
  t.match(clients, [{ client: { publicKey: key }, reason: 'closed', sentSecret: false }]);
  t.match(await control.call('clients.approve', { client: clients[0]?.words ?? '' }), { admitted: true });
  await client.waitFor(/^PONG/m, C_PATIENCE);
  t.equal(await client.exited, 0);
});
