/** A server is killed and starts again: peers that were connected reconnect without a restart. */
import { join } from 'node:path';
import t from 'tap';
import { addressOf, C_WORLD, friendOnline, listeningPort, startCPeer } from '../support/c-peer.js';
import { exchange, startExchangeService } from '../support/exchange.js';
import { freeTcpPort, startBootstrapd, startTuntox } from '../support/processes.js';
import { requirementsMet } from '../support/requirements.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

const SECRET = 'canary of restarts';
const SMALL = { seed: 'restart', up: 20_000, down: 20_000 };
/** ms: silence is noticed after 32 s, then libtoxcore takes its time to connect. A guard against hanging. */
const GUARD = 150_000;

/** Tries new connections until one works: those made before the silence was noticed end with it. */
async function reachAgain(port: number): Promise<void> {
  const giveUpAt = performance.now() + GUARD;
  for (;;) {
    try {
      await exchange(port, SMALL);
      return;
    } catch (error) {
      if (performance.now() > giveUpAt) throw error;
      await new Promise((resolve) => setTimeout(resolve, 250));
    }
  }
}

t.test('a server is killed, and comes back with its identity', async (t) => {
  if (!requirementsMet(t, ...C_WORLD)) return;
  const node = await startBootstrapd();
  t.teardown(() => node.process.stop());
  const service = await startExchangeService();
  t.teardown(() => service.close());
  const network = ['--bootstrap', node.argument];
  const target = `127.0.0.1:${service.port}`;
  const directory = temporaryDirectory(t);
  const startOurs = (...args: string[]) => {
    const process = startTuntox([...args, ...network], { env: { TUNTOX_SHARED_SECRET: SECRET } });
    t.teardown(() => process.stop('SIGKILL'));
    return process;
  };
  const startC = async (...args: string[]) => {
    const process = await startCPeer([...args, '--secret', SECRET, ...network]);
    t.teardown(() => process.stop('SIGKILL'));
    return process;
  };
  const startServer = () => startOurs('-C', join(directory, 'ours'));
  const startServerC = () => startC('server', '--save', join(directory, 'theirs'));

  const server = startServer();
  const id = (await server.waitFor(/^([0-9A-F]{76})\n/))[1] as string;
  const serverC = await startServerC();
  const idC = await addressOf(serverC);
  const clientC = await startC('client', '--id', id, '-L', `0:${target}`);
  const ports = {
    oursToOurs: await freeTcpPort(),
    oursToC: await freeTcpPort(),
    cToOurs: await listeningPort(clientC),
  };
  const client = startOurs('-i', id, '-L', `${ports.oursToOurs}:${target}`);
  const clientOfC = startOurs('-i', idC, '-L', `${ports.oursToC}:${target}`);
  await Promise.all([client, clientOfC].map((process) => process.waitFor(/listening/)));
  await Promise.all(Object.values(ports).map((port) => exchange(port, SMALL)));
  await friendOnline(clientC);

  await Promise.all([server.stop('SIGKILL'), serverC.stop('SIGKILL')]);
  t.equal((await startServer().waitFor(/^([0-9A-F]{76})\n/))[1], id);
  t.equal(await addressOf(await startServerC()), idC);
  // All at once, for each waits until it notices.
  await Promise.all([
    t.resolves(reachAgain(ports.oursToOurs), 'our client reaches our server again'),
    t.resolves(reachAgain(ports.oursToC), 'our client reaches the libtoxcore server again'),
    t.resolves(reachAgain(ports.cToOurs), 'the libtoxcore client reaches our server again'),
  ]);
  for (const process of [client, clientOfC, clientC])
    t.notOk(process.hasExited, `${process.name} has run all the time`);
});
