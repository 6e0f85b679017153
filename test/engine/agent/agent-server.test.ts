import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { lstatSync, mkdirSync, readlinkSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { dirname, join } from 'node:path';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import t, { type Test } from 'tap';
import { carry } from '../../../src/agent/carry.js';
import { Conversation } from '../../../src/agent/conversation.js';
import type { AgentEvent, AgentRequest } from '../../../src/agent/messages.js';
import { agentPlaces } from '../../../src/agent/socket-file.js';
import { systemClock } from '../../../src/base/clock.js';
import { silentLogger } from '../../../src/base/logger.js';
import { AgentServer } from '../../../src/engine/agent/agent-server.js';
import { ServerPool } from '../../../src/engine/client/server-pool.js';
import { PublicKey } from '../../../src/tox/crypto/keys.js';
import { ManualClock } from '../../support/manual-clock.js';
import { temporaryDirectory } from '../../support/temporary-directory.js';
import type { FakeStack } from '../support/fake-stacks.js';
import { random, SECRET, settle, startPeer, startServer } from '../support/peers.js';

/** Nobody hangs. */
const deps = { clock: new ManualClock() };
const OTHER_ID = 'E776E9A993EE3CAE04F5946D9AC66FBBAA8C63A95A94B41942353C6DC1739B4B4C762C7DA7B9';

async function start(t: Test, options: { readonly maxClients?: number } = {}) {
  const network = new Map<string, FakeStack>();
  const server = await startServer(t, network, { secret: SECRET });
  const client = await startPeer(network);
  t.teardown(() => client.engine.stop());
  const clock = new ManualClock();
  const pool = new ServerPool(
    { clock, connect: (id, secret) => client.engine.connect(id, secret) },
    { idleTime: 600_000 },
  );
  const directory = temporaryDirectory(t);
  const [state, runtime] = [join(directory, 'state'), join(directory, 'tuntox')];
  const places = agentPlaces({ state, runtime });
  const path = join(runtime, 'agent.sock');
  mkdirSync(state, { mode: 0o700 });
  const stops: string[] = [];
  const users: number[] = [];
  const agent = new AgentServer(
    {
      clock,
      random,
      log: silentLogger,
      pool,
      stop: (when) => {
        stops.push(when);
        return undefined;
      },
      onUsers: (count) => users.push(count),
    },
    { places, program: 'tuntox 1.2.3', pid: 4711, ownKey: client.engine.id.publicKey, ...options },
  );
  await agent.start();
  t.teardown(() => agent.close());
  const host = { toxId: server.engine.id.toString(), secret: SECRET.toString() };
  const ask = async (request: AgentRequest) => {
    const { conversation } = await Conversation.begin(deps, places, request);
    t.teardown(() => conversation.close());
    // The greeting comes before the request is read.
    await settle();
    return conversation;
  };
  return { agent, path, places, pool, clock, server, client, host, ask, stops, users };
}

/** A service; its port. */
async function serve(t: Test, onConnection: (socket: Socket) => void): Promise<number> {
  const server = createServer({ allowHalfOpen: true }, (socket) => onConnection(socket.on('error', () => {})));
  t.teardown(() => server.close());
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as { port: number }).port;
}

const echo = (socket: Socket): void => void socket.pipe(socket);
const ignoreEvent = (_: AgentEvent): void => {};

t.test('a client reaches a target with its first request, and both directions end by themselves', async (t) => {
  const { host, ask } = await start(t);
  const port = await serve(t, echo);
  const conversation = await ask({ ask: 'open', host, target: { host: '127.0.0.1', port } });
  const events: string[] = [];
  await conversation.until('open', ({ event }) => events.push(event));
  t.same(events, ['bootstrapping', 'connected', 'early']);
  const bytes = randomBytes(3_000_000);
  const [source, sink] = [new PassThrough(), new PassThrough()];
  const carried = carry(conversation, { source, sink });
  source.end(bytes);
  const chunks: Buffer[] = [];
  for await (const chunk of sink) chunks.push(chunk as Buffer);
  t.ok(Buffer.concat(chunks).equals(bytes));
  await carried;
});

t.test('a second client shares the connection of the first', async (t) => {
  const { host, ask, pool, client, users } = await start(t);
  const port = await serve(t, echo);
  for (let count = 0; count < 2; count += 1) {
    const conversation = await ask({ ask: 'open', host, target: { host: '127.0.0.1', port } });
    await conversation.until('open', ignoreEvent);
  }
  t.equal(pool.list()[0]?.holders, 2);
  t.equal(client.tox.friends.size, 1);
  t.same(users, [1, 2]);
});

t.test('a server that is left is disconnected as soon as its last client is gone', async (t) => {
  const { host, ask, pool, client } = await start(t);
  const held = await ask({ ask: 'hold', host });
  await held.until('connected', ignoreEvent);
  const leave = async (): Promise<AgentEvent | undefined> => (await ask({ ask: 'leave', host })).next();
  t.match(await leave(), { event: 'left', users: 1 });
  t.equal(client.tox.friends.size, 1);
  held.close();
  while (pool.list().length > 0) await settle();
  t.equal(client.tox.friends.size, 0);
  t.match(await leave(), { event: 'left', users: 0 });
});

t.test('a client too many reads why, and is disconnected although it stays', async (t) => {
  const { host, ask, path } = await start(t, { maxClients: 1 });
  await ask({ ask: 'hold', host });
  const socket = connect({ path, allowHalfOpen: true });
  t.teardown(() => socket.destroy());
  const [line] = await once(socket, 'data');
  t.match(JSON.parse(line), { event: 'error', code: 'busy', message: /^the agent has 1 client, as many as it can/ });
  await once(socket, 'end');
  const writing = once(socket, 'error');
  socket.write('x');
  t.match(await writing, [{ code: 'EPIPE' }]);
});

t.test('a target that is refused is an event with its code', async (t) => {
  const { host, ask } = await start(t);
  const conversation = await ask({ ask: 'open', host, target: { host: '127.0.0.1', port: 1 } });
  await t.rejects(conversation.until('open', ignoreEvent), { code: 'connection-refused', message: /check the port/ });
});

t.test('what a client sends before its tunnel is open reaches the target, and so does its end', async (t) => {
  const { host, ask } = await start(t);
  const port = await serve(t, echo);
  for (const size of [5, 100_000]) {
    const [source, sink] = [new PassThrough(), new PassThrough()];
    const bytes = randomBytes(size);
    source.end(bytes);
    const conversation = await ask({ ask: 'open', host, target: { host: '127.0.0.1', port } });
    await conversation.untilOpen(source, ignoreEvent);
    t.ok(source.readableFlowing, 'it is being sent');
    const carried = carry(conversation, { source, sink });
    const chunks: Buffer[] = [];
    for await (const chunk of sink) chunks.push(chunk as Buffer);
    t.ok(Buffer.concat(chunks).equals(bytes));
    await carried;
  }
});

t.test('the source of a refused request is left to the client', async (t) => {
  const { host, ask } = await start(t);
  const source = new PassThrough();
  source.write('lost');
  const conversation = await ask({ ask: 'open', host, target: { host: '127.0.0.1', port: 1 } });
  await t.rejects(conversation.untilOpen(source, ignoreEvent), { code: 'connection-refused' });
  t.equal(source.listenerCount('data'), 0);
});

t.test('a client that goes while its tunnel is being requested leaves nothing behind', async (t) => {
  const { host, ask, pool } = await start(t);
  const port = await serve(t, echo);
  const conversation = await ask({ ask: 'open', host, target: { host: '127.0.0.1', port } });
  await conversation.until('early', ignoreEvent);
  conversation.close();
  while (pool.list()[0]?.holders !== 0) await settle();
  t.pass();
});

t.test('a tunnel that breaks is told from one that ends: the service resets its connection', async (t) => {
  const { host, ask } = await start(t);
  const port = await serve(t, (socket) => {
    socket.write('half');
    socket.once('data', () => socket.resetAndDestroy());
  });
  const conversation = await ask({ ask: 'open', host, target: { host: '127.0.0.1', port } });
  await conversation.until('open', ignoreEvent);
  const [source, sink] = [new PassThrough(), new PassThrough()];
  const carried = carry(conversation, { source, sink });
  t.equal((await once(sink, 'data')).toString(), 'half');
  source.write('go on');
  await t.rejects(carried, { name: 'AgentError', code: 'connection-reset' });
});

t.test('an agent that dies within a transfer is told from the end of the service', async (t) => {
  const { path } = await start(t);
  const dying = `${path}.2`;
  const agent = createServer((socket) => {
    socket.write('{"event":"hello","version":1,"state":"/s"}\n{"event":"open"}\n\0\0\0\x04half');
    socket.once('data', () => socket.end());
  });
  t.teardown(() => agent.close());
  agent.listen(dying);
  await once(agent, 'listening');
  const { conversation } = await Conversation.begin(
    deps,
    { byIdentity: dying, inRuntime: undefined, state: '/s', owner: 'user' },
    {
      ask: 'open',
      host: { toxId: OTHER_ID },
      target: { host: 'a', port: 1 },
    },
  );
  await conversation.until('open', ignoreEvent);
  const sink = new PassThrough();
  const carried = carry(conversation, { source: new PassThrough(), sink });
  await t.rejects(carried, { code: 'agent-ended' });
  t.equal(sink.read()?.toString(), 'half');
});

t.test('a client that dies breaks its tunnel: the service does not take that for an end', async (t) => {
  const { host, ask } = await start(t);
  const broken = new Promise<string>((resolve) => {
    void serve(t, (socket) => {
      socket.on('end', () => resolve('end')).on('error', () => resolve('error'));
      socket.resume().write('hello');
    }).then(async (port) => {
      const conversation = await ask({ ask: 'open', host, target: { host: '127.0.0.1', port } });
      await conversation.until('open', ignoreEvent);
      conversation.takeOver().socket.destroy();
    });
  });
  t.equal(await broken, 'error');
});

t.test('a client that waits for its server and goes leaves nothing behind', async (t) => {
  const { ask, pool, users } = await start(t);
  const conversation = await ask({ ask: 'open', host: { toxId: OTHER_ID }, target: { host: 'a', port: 1 } });
  t.equal(pool.list()[0]?.holders, 1);
  conversation.close();
  await settle();
  t.equal(pool.list()[0]?.holders, 0);
  t.same(users, [1, 0]);
});

t.test('a client gives up after its own timeout, with the reason', async (t) => {
  const { ask, clock } = await start(t);
  const conversation = await ask({ ask: 'hold', host: { toxId: OTHER_ID }, timeout: 1_000, maxRetries: 1 });
  clock.advance(1_000);
  const retry = await conversation.until('retry', ignoreEvent);
  t.match(retry, { event: 'retry', code: 'no-network', left: 1 });
  clock.advance(60_000);
  await t.rejects(conversation.next(), { code: 'no-network', message: /has answered for/ });
});

t.test('who holds a server hears when it is connected, and when that is lost', async (t) => {
  const { ask, host, server, client } = await start(t);
  const conversation = await ask({ ask: 'hold', host });
  t.match(await conversation.until('connected', ignoreEvent), { path: 'direct' });
  client.tox.friends.get(server.engine.id.publicKey.hex)?.setOnline(false);
  t.match(await conversation.until('disconnected', ignoreEvent), {});
  client.tox.friends.get(server.engine.id.publicKey.hex)?.setOnline(true);
  t.match(await conversation.until('connected', ignoreEvent), { path: 'direct' });
});

t.test('round trips come one after another', async (t) => {
  const { ask, host } = await start(t);
  const conversation = await ask({ ask: 'ping', host, count: 3 });
  const events: string[] = [];
  await conversation.until('done', ({ event }) => events.push(event));
  t.same(events.slice(-4), ['connected', 'pong', 'pong', 'pong']);
});

t.test('what a server offers is told, which may be nothing', async (t) => {
  const { ask, host } = await start(t);
  const conversation = await ask({ ask: 'services', host });
  t.match(await conversation.until('services', ignoreEvent), { services: [] });
});

t.test('with onlyIfConnected a server that is not connected is refused at once', async (t) => {
  const { ask, host, pool } = await start(t);
  const conversation = await ask({ ask: 'hold', host, onlyIfConnected: true });
  await t.rejects(conversation.next(), { code: 'not-connected' });
  t.same(pool.list(), []);
});

t.test('wrong IDs are refused', async (t) => {
  const { ask, client } = await start(t);
  const wrong = OTHER_ID.replace('E', 'F');
  await t.rejects((await ask({ ask: 'hold', host: { toxId: wrong } })).next(), { code: 'bad-request' });
  const own = client.engine.id.toString();
  await t.rejects((await ask({ ask: 'hold', host: { toxId: own } })).next(), { code: 'own-id' });
});

t.test('the status names the servers and their users', async (t) => {
  const { ask, host, server } = await start(t);
  await (await ask({ ask: 'hold', host })).until('connected', ignoreEvent);
  t.match(await (await ask({ ask: 'status' })).next(), {
    event: 'status',
    program: 'tuntox 1.2.3',
    pid: 4711,
    users: 1,
    servers: [{ key: server.engine.id.publicKey.hex, online: true, path: 'direct', users: 1 }],
  });
});

t.test('a client can end the agent', async (t) => {
  const { ask, stops } = await start(t);
  t.match(await (await ask({ ask: 'stop', when: 'idle' })).next(), { event: 'stopping' });
  t.same(stops, ['idle']);
});

t.test('only the user can reach the socket', async (t) => {
  const { path } = await start(t);
  t.equal(statSync(path).mode & 0o777, 0o600);
  t.equal(statSync(dirname(path)).mode & 0o777, 0o700);
});

t.test('an agent is found beside its identity, also where its runtime directory is unknown', async (t) => {
  const { path, places } = await start(t);
  t.equal(readlinkSync(places.byIdentity ?? ''), path);
  const { conversation } = await Conversation.begin(deps, { ...places, inRuntime: undefined }, { ask: 'status' });
  t.teardown(() => conversation.close());
  t.match(await conversation.next(), { program: 'tuntox 1.2.3' });
});

t.test('the agent of another identity with the same runtime directory is told apart', async (t) => {
  const { agent, path, ask } = await start(t);
  const state = temporaryDirectory(t);
  const others = agentPlaces({ state, runtime: dirname(path) });
  await t.rejects(Conversation.begin(deps, others, { ask: 'status' }), { code: 'not-running' });
  const second = new AgentServer(
    { clock: systemClock, random, log: silentLogger, pool: noServers, stop: () => undefined },
    { places: others, program: 'second', pid: 2, ownKey: new PublicKey(Buffer.alloc(32)) },
  );
  await second.start();
  t.equal(second.path, join(state, 'agent.sock'));
  const { conversation } = await Conversation.begin(deps, others, { ask: 'status' });
  t.teardown(() => conversation.close());
  t.match(await conversation.next(), { program: 'second' });
  t.match(await (await ask({ ask: 'status' })).next(), { program: 'tuntox 1.2.3' });
  second.close();
  agent.close();
});

t.test('a socket that was left is replaced, and another file stays', async (t) => {
  const { agent, path, places, ask } = await start(t);
  agent.close();
  await settle();
  for (const one of [path, places.byIdentity ?? '']) {
    t.notOk(lstatSync(one, { throwIfNoEntry: false }), 'the socket and its link go with the agent');
  }
  leaveSocket(path);
  const second = new AgentServer(
    { clock: systemClock, random, log: silentLogger, pool: noServers, stop: () => undefined },
    { places, program: 'second', pid: 2, ownKey: new PublicKey(Buffer.alloc(32)) },
  );
  await second.start();
  t.match(await (await ask({ ask: 'status' })).next(), { program: 'second' });
  second.close();
  await settle();
  for (const one of [path, places.byIdentity ?? '']) writeFileSync(one, '');
  await t.rejects(second.start(), /exists and is not a socket/);
});

t.test('a socket that was deleted is created again', async (t) => {
  const { agent, path, ask } = await start(t);
  t.equal(await agent.restore(), false);
  rmSync(dirname(path), { recursive: true });
  t.equal(await agent.restore(), true);
  t.match(await (await ask({ ask: 'status' })).next(), { event: 'status' });
});

/** What the client is told, raw. */
async function say(path: string, bytes: string): Promise<{ readonly answer: string }> {
  const socket = connect(path);
  socket.write(bytes);
  const answer = await text(socket);
  return { answer: answer.split('\n')[1] ?? '' };
}

t.test('requests that are too long, wrong, of another version or followed by bytes are refused', async (t) => {
  const { path, pool } = await start(t);
  t.match((await say(path, 'x'.repeat(5_000))).answer, /"bad-request".*at most 4096 bytes/);
  t.match((await say(path, '{}\n')).answer, /"version"/);
  t.match((await say(path, '{"version":1}\n')).answer, /"bad-request"/);
  t.match((await say(path, '{"version":2,"ask":"open"}\n')).answer, /"version".*tuntox 1\.2\.3.*tuntox agent stop/);
  t.match((await say(path, '{"ask":"status"}\nmore')).answer, /"bad-request".*bytes came before/);
  t.same(pool.list(), []);
});

t.test('a client that asks nothing is disconnected after a while', async (t) => {
  const { path, clock } = await start(t);
  const socket = connect(path);
  await once(socket, 'data');
  clock.advance(15_000);
  t.match(await text(socket), /no request came in time/);
});

t.test('200 clients at once have a tunnel each', async (t) => {
  const { host, ask, agent, pool } = await start(t);
  const port = await serve(t, echo);
  const sums = await Promise.all(
    Array.from({ length: 200 }, async (_, index) => {
      const conversation = await ask({ ask: 'open', host, target: { host: '127.0.0.1', port } });
      await conversation.until('open', ignoreEvent);
      const [source, sink] = [new PassThrough(), new PassThrough()];
      const carried = carry(conversation, { source, sink });
      source.end(`client ${index}`);
      const answer = await text(sink);
      await carried;
      return answer === `client ${index}`;
    }),
  );
  t.equal(sums.filter(Boolean).length, 200);
  await settle();
  t.equal(agent.users, 0);
  t.equal(pool.list()[0]?.holders, 0);
});

const noServers = {
  find: () => undefined,
  leave: () => 0,
  list: () => [],
  hold: (): never => {
    throw new Error('there are no servers');
  },
};

/** A socket whose process is gone. */
function leaveSocket(path: string): void {
  const script = `require('net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'))`;
  spawnSync(process.execPath, ['-e', script], { env: {} });
}
