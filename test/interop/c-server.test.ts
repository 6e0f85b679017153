/** Our client and a libtoxcore server, which know nothing but a tox-bootstrapd. */
import t from 'tap';
import { addressOf, C_PATIENCE, C_WORLD, startCPeer } from '../support/c-peer.js';
import { answerTo, exchange, requestLine, startExchangeService } from '../support/exchange.js';
import { freeTcpPort, startBootstrapd, startTuntox } from '../support/processes.js';
import { requirementsMet } from '../support/requirements.js';

const MIB = 1024 * 1024;
const SECRET = 'canary for a C server';

t.test('our client and a libtoxcore server', async (t) => {
  if (!requirementsMet(t, ...C_WORLD)) return;
  const node = await startBootstrapd();
  t.teardown(() => node.process.stop());
  const service = await startExchangeService();
  t.teardown(() => service.close());
  const server = await startCPeer(['server', '--secret', SECRET, '--bootstrap', node.argument]);
  t.teardown(() => server.stop());
  const id = await addressOf(server);
  const target = `127.0.0.1:${service.port}`;
  const startClient = (name: string, ...args: string[]) => {
    const client = startTuntox(['-i', id, '--bootstrap', node.argument, ...args], {
      name,
      env: { TUNTOX_SHARED_SECRET: SECRET },
    });
    t.teardown(() => client.stop());
    return client;
  };
  const port = await freeTcpPort();
  const forward = startClient('forward', '-L', `${port}:${target}`);
  const pipe = startClient('pipe', '-W', target);
  const endedPipe = startClient('pipe without more input', '-P', target);
  const ping = startClient('ping', '-p');

  await t.test('we ping the server', async (t) => {
    await ping.waitFor(/4 round trips/, C_PATIENCE);
    t.equal(await ping.exited, 0);
  });

  const small = { seed: 'pipe', up: 0, down: 100_000 };
  await t.test('our standard input and output are a connection to the target', async (t) => {
    pipe.child.stdin.write(requestLine(small));
    t.equal(await pipe.exited, 0, pipe.stderr);
    t.ok(pipe.stdout === answerTo(small), 'every byte arrived');
  });

  await t.test('the answer arrives whole although our input has ended, which ends a tunnel of upstream', async (t) => {
    endedPipe.child.stdin.end(requestLine(small));
    t.equal(await endedPipe.exited, 0, endedPipe.stderr);
    t.ok(endedPipe.stdout === answerTo(small), 'every byte arrived');
  });

  await t.test('100 MiB arrive whole in each direction', async (t) => {
    await forward.waitFor(/connected to [0-9A-F]{8} in/, C_PATIENCE);
    await t.resolves(exchange(port, { seed: 'down', up: 0, down: 100 * MIB }));
    await t.resolves(exchange(port, { seed: 'up', up: 100 * MIB, down: 0 }));
  });

  await t.test('20 connections at once, each with its own bytes in both directions', async (t) => {
    const all = Array.from({ length: 20 }, (_, index) =>
      exchange(port, { seed: `many${index}`, up: 100_000 + index, down: MIB - index }),
    );
    await t.resolves(Promise.all(all));
  });
});
