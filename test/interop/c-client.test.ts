/** A libtoxcore client and our server, which know nothing but a tox-bootstrapd. */
import t from 'tap';
import { addressOf, C_PATIENCE, C_WORLD, friendOnline, listeningPort, startCPeer } from '../support/c-peer.js';
import { answerTo, exchange, requestLine, startExchangeService } from '../support/exchange.js';
import { startBootstrapd, startTuntox } from '../support/processes.js';
import { requirementsMet } from '../support/requirements.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

const MIB = 1024 * 1024;
const SECRET = 'canary for a C client';

t.test('a libtoxcore client and our server', async (t) => {
  if (!requirementsMet(t, ...C_WORLD)) return;
  const node = await startBootstrapd();
  t.teardown(() => node.process.stop());
  const service = await startExchangeService();
  t.teardown(() => service.close());
  const server = startTuntox(['-C', temporaryDirectory(t), '--bootstrap', node.argument], {
    env: { TUNTOX_SHARED_SECRET: SECRET },
  });
  t.teardown(() => server.stop());
  const id = (await server.waitFor(/^([0-9A-F]{76})\n/))[1] as string;
  const target = `127.0.0.1:${service.port}`;
  const startClient = async (name: string, ...args: string[]) => {
    const common = ['client', '--id', id, '--secret', SECRET, '--bootstrap', node.argument];
    const client = await startCPeer([...common, ...args], { name });
    t.teardown(() => client.stop());
    return client;
  };
  // All at once: each of them takes its ten seconds to connect.
  const forward = await startClient('C forward', '-L', `0:${target}`);
  const pipe = await startClient('C pipe', '-W', target);
  const ping = await startClient('C ping', '-p', '--count', '5');
  t.not(await addressOf(forward), id);

  await t.test('the client pings us', async (t) => {
    await ping.waitFor(/PONG/, C_PATIENCE);
    t.equal(await ping.exited, 0);
    t.match(ping.stdout, /^(PONG [0-9.]+ 5\n){5}/m);
  });

  await t.test('standard input and output of the client are a connection to the target', async (t) => {
    const small = { seed: 'pipe', up: 0, down: 100_000 };
    pipe.child.stdin.write(requestLine(small));
    await pipe.waitFor(/TUNNEL closed/, C_PATIENCE);
    t.equal(await pipe.exited, 0);
    t.ok(pipe.stdout === answerTo(small), 'every byte arrived');
  });

  await t.test('100 MiB arrive whole in each direction', async (t) => {
    await friendOnline(forward);
    const port = await listeningPort(forward);
    await t.resolves(exchange(port, { seed: 'down', up: 0, down: 100 * MIB }));
    await t.resolves(exchange(port, { seed: 'up', up: 100 * MIB, down: 0 }));
  });

  await t.test('20 connections at once, each with its own bytes in both directions', async (t) => {
    const port = await listeningPort(forward);
    const all = Array.from({ length: 20 }, (_, index) =>
      exchange(port, { seed: `many${index}`, up: 100_000 + index, down: MIB - index }),
    );
    await t.resolves(Promise.all(all));
  });

  t.equal(await server.stop(), 0);
  t.notMatch(server.stderr, SECRET);
});
