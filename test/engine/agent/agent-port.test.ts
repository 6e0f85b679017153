/** -R through the agent: what it tells its client, and what ends with it. */
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { Conversation } from '../../../src/agent/conversation.js';
import type { AgentEvent, AgentRequest } from '../../../src/agent/messages.js';
import { agentPlaces } from '../../../src/agent/socket-file.js';
import { silentLogger } from '../../../src/base/logger.js';
import { AgentPort } from '../../../src/engine/agent/agent-port.js';
import { AgentServer } from '../../../src/engine/agent/agent-server.js';
import { refusalOfShared } from '../../../src/engine/agent/shared-targets.js';
import { ServerPool } from '../../../src/engine/client/server-pool.js';
import { ManualClock } from '../../support/manual-clock.js';
import { temporaryDirectory } from '../../support/temporary-directory.js';
import type { FakeStack } from '../support/fake-stacks.js';
import { random, SECRET, settle, startPeer, startServer } from '../support/peers.js';

const ANY = { bind: '127.0.0.1', port: 0 };

async function start(t: Test, isAllowed = true) {
  const network = new Map<string, FakeStack>();
  const mayListen = () => (isAllowed ? ({ allowed: true } as const) : ({ allowed: false, reason: 'no' } as const));
  const server = await startServer(t, network, { secret: SECRET }, { mayListen });
  const client = await startPeer(network);
  t.teardown(() => client.engine.stop());
  const clock = new ManualClock();
  const pool = new ServerPool(
    { clock, connect: (id, secret) => client.engine.connect(id, secret) },
    { idleTime: 600_000 },
  );
  const directory = temporaryDirectory(t);
  const places = agentPlaces({ state: join(directory, 'state'), runtime: join(directory, 'tuntox') });
  mkdirSync(places.state, { mode: 0o700 });
  const deps = { clock, random, log: silentLogger, pool, stop: () => undefined };
  const ownKey = client.engine.id.publicKey;
  const agent = new AgentServer(deps, { places, program: 'tuntox 1.2.3', pid: 4711, ownKey });
  await agent.start();
  t.teardown(() => agent.close());
  const echo = createServer((socket) => void socket.on('error', () => {}).pipe(socket)).listen(0, '127.0.0.1');
  await once(echo, 'listening');
  t.teardown(() => echo.close());
  const target = { host: '127.0.0.1', port: (echo.address() as { port: number }).port };
  const host = { toxId: server.engine.id.toString(), secret: SECRET.toString() };
  const begin = async (request: AgentRequest): Promise<Conversation> => {
    const { conversation } = await Conversation.begin({ clock: new ManualClock() }, places, request);
    t.teardown(() => conversation.close());
    return conversation;
  };
  const listen = { ask: 'listen', host, at: ANY, target } as const;
  return { server, clock, begin, listen, target };
}

async function nextPort(conversation: Conversation, state: string): Promise<AgentEvent> {
  for (;;) {
    const event = await conversation.until('port', () => {});
    if (event.state === state) return event;
  }
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await settle();
}

t.test(
  'the agent tells the port and its traffic, connects to the target, and closes all with its client',
  async (t) => {
    const { server, clock, begin, listen } = await start(t);
    const conversation = await begin(listen);
    const { port } = await nextPort(conversation, 'listening');
    const socket = connect({ host: '127.0.0.1', port: port as number });
    socket.on('error', () => {}).write('hello');
    t.equal(String((await once(socket, 'data'))[0]), 'hello');
    clock.advance(250);
    t.match(await conversation.until('traffic', () => {}), { open: 1, total: 1 });
    const closed = new Promise((resolve) => socket.once('close', resolve));
    conversation.close();
    await closed;
    await until(() => server.engine.tunnels.openPorts().length === 0);
  },
);

t.test('a refusal has its code and what to do, and the agent goes on', async (t) => {
  const { begin, listen } = await start(t, false);
  const conversation = await begin(listen);
  t.match(await nextPort(conversation, 'refused'), { code: 'not-allowed', message: /does not permit it/ });
});

t.test('what is no port, and no target of this machine, is refused', async (t) => {
  const { begin, listen } = await start(t);
  for (const wrong of [
    { at: undefined },
    { at: { bind: '', port: 80 } },
    { at: { bind: null, port: 65_536 } },
    { target: { service: 'web' } },
    { target: { host: '127.0.0.1', port: 53, protocol: 'udp' } },
    { target: { path: 'relative.sock' } },
  ]) {
    const conversation = await begin({ ...listen, ...wrong } as unknown as AgentRequest);
    await t.rejects(
      conversation.until('port', () => {}),
      { code: 'bad-request' },
      JSON.stringify(wrong),
    );
  }
});

t.test('a client follows its port, and asks the next agent when the first one ends', async (t) => {
  const { server, clock, begin, listen, target } = await start(t);
  const begun: Conversation[] = [];
  const spec = { kind: 'reverse', at: { kind: 'port', ...ANY }, target } as const;
  const deps = {
    clock,
    begin: async () => {
      const conversation = await begin(listen);
      begun.push(conversation);
      return conversation;
    },
  };
  const port = new AgentPort(deps, spec);
  t.teardown(() => port.close());
  await until(() => port.remote.state.kind === 'listening');
  const first = server.engine.tunnels.openPorts()[0]?.port;
  t.match(port.at, { bind: '127.0.0.1', port: first });
  begun[0]?.close();
  await until(() => port.remote.state.kind === 'asking');
  clock.advance(2_000);
  await until(() => port.remote.state.kind === 'listening');
  t.equal(begun.length, 2);
  port.close();
  await until(() => server.engine.tunnels.openPorts().length === 0);
});

t.test(
  'the daemon of a machine has servers open no ports for its users: it would connect with its own rights',
  async (t) => {
    const { listen, target } = await start(t);
    const refusal = refusalOfShared({ targetsOf: () => [target] });
    const { secret: _, ...host } = listen.host;
    t.match(refusal(undefined as never, { ...listen, host }), /opens? no ports/);
    t.equal(refusal(undefined as never, { ask: 'open', host, target }), undefined);
  },
);
