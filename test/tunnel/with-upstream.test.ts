/** Ours with a peer that behaves as upstream's source does. */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import t, { type Test } from 'tap';
import { silentLogger } from '../../src/base/logger.js';
import type { Reason } from '../../src/tunnel/wire/reasons.js';
import type { Target } from '../../src/tunnel/wire/target.js';
import { channelPair } from './support/channel-pair.js';
import { localSpec } from './support/local-spec.js';
import { UpstreamPeer } from './support/upstream-peer.js';
import { howItEnds, nextClosed, readAll, readSome, until, World } from './support/world.js';

const echo = (socket: Socket): void => void socket.pipe(socket);
const faulty = { capacity: 20, refusals: 0.05, burst: 16 };

/** Our client, and an upstream server. */
async function ourClient(t: Test, onConnection: (socket: Socket) => void, seed = 1) {
  const world = new World(t, seed);
  const channels = channelPair({ ...faulty, seed });
  const upstream = new UpstreamPeer(channels.server, 'server', world.random);
  const client = world.service();
  client.attach(channels.client);
  const target = { host: '127.0.0.1', port: await world.target(onConnection) };
  const forward = await client.forward(channels.client.peerId, localSpec(target));
  return { world, channels, client, upstream, target, port: forward.port, serverId: channels.client.peerId };
}

/** Our server, and an upstream client with one listening port. */
async function ourServer(t: Test, onConnection: (socket: Socket) => void) {
  const world = new World(t, 3);
  const channels = channelPair({ ...faulty, seed: 3 });
  const upstream = new UpstreamPeer(channels.client, 'client', world.random);
  const server = world.service();
  server.attach(channels.server);
  const port = await world.target(onConnection);
  let forwardId = 7;
  const listener = await world.target((socket) => {
    forwardId += 1;
    upstream.request(socket, '127.0.0.1', port, forwardId);
  });
  return { world, channels, server, upstream, listener, port };
}

t.test('our client carries bytes through an upstream server, and sends no frames of the extension', async (t) => {
  const { world, client, upstream, port } = await ourClient(t, echo, 21);
  const bytes = world.random.bytes(500_000);
  const socket = await world.connect(port);
  socket.write(bytes);
  t.ok((await readSome(socket, bytes.length)).equals(bytes));
  t.match(client.links.list(), [{ terms: 'upstream' }]);
  socket.destroy();
  await until(() => {
    world.clock.advance(100);
    return client.list().length === 0 && upstream.tunnelIds.length === 0;
  });
  t.same(upstream.unknownTypes, []);
});

t.test('many connections through an upstream server run at once', async (t) => {
  const { world, client, upstream, port } = await ourClient(t, echo, 22);
  const one = async (index: number): Promise<void> => {
    const socket = await world.connect(port);
    const bytes = Buffer.alloc(3000, index);
    socket.write(bytes);
    if (!(await readSome(socket, 3000)).equals(bytes)) t.fail(`connection ${index}`);
    socket.destroy();
  };
  await Promise.all(Array.from({ length: 200 }, (_, index) => one(index)));
  await until(() => {
    world.clock.advance(100);
    return client.list().length === 0 && upstream.tunnelIds.length === 0;
  });
  t.pass();
});

t.test('a program that ends its direction first gets its answer from an upstream server', async (t) => {
  let service: Socket | undefined;
  const { world, client, port } = await ourClient(t, (socket) => {
    service = socket;
  });
  const socket = await world.connect(port);
  socket.end('question');
  await until(() => service !== undefined && client.list()[0]?.bytesSent === 8);
  for (const part of ['first', 'second', 'third']) {
    world.clock.advance(1500);
    service?.write(part);
    t.equal((await readSome(socket, part.length)).toString(), part);
  }
  const rest = readAll(socket);
  world.clock.advance(1500);
  t.equal(client.list().length, 1, 'the tunnel waits for more data');
  world.clock.advance(500);
  t.equal((await rest).length, 0, 'until the service has sent nothing for long enough');
  await until(() => client.list().length === 0);
});

t.test('all data that an upstream server sent before its fin is delivered', async (t) => {
  const { world, client, port } = await ourClient(t, (socket) => void socket.end(Buffer.alloc(300_000, 9)), 23);
  const socket = await world.connect(port);
  await until(() => client.list()[0]?.bytesReceived === 300_000);
  const bytes = await readAll(socket);
  t.equal(bytes.length, 300_000);
  t.notOk(socket.destroyed, 'and the program may still write, although its bytes are discarded');
  socket.end();
  await until(() => client.list().length === 0);
});

t.test('a request that an upstream server does not answer is given up', async (t) => {
  const { world, client, channels, port } = await ourClient(t, echo);
  channels.client.isStalled = true;
  const socket = await world.connect(port);
  const ending = howItEnds(socket);
  await until(() => channels.client.inFlight === 2);
  world.clock.advance(30_000);
  t.equal(await ending, 'ECONNRESET');
  channels.client.resume();
  await until(() => client.links.list()[0]?.terms === 'upstream');
  t.equal(client.list().length, 0);
});

t.test('a tunnel that is acknowledged too late is closed at the upstream server', async (t) => {
  const { world, channels, upstream, port } = await ourClient(t, echo);
  channels.server.isStalled = true;
  const socket = await world.connect(port);
  await until(() => upstream.tunnelIds.length === 1);
  world.clock.advance(30_000);
  t.equal(await howItEnds(socket), 'ECONNRESET');
  channels.server.resume();
  await until(() => upstream.tunnelIds.length === 0);
  t.pass();
});

t.test('tunnels that an upstream server kept from a lost connection are closed when it returns', async (t) => {
  const { world, client, channels, upstream, port } = await ourClient(t, (socket) => void socket.write('hi'));
  const socket = await world.connect(port);
  await once(socket, 'data');
  const [id] = upstream.tunnelIds;
  channels.client.close();
  t.equal(await howItEnds(socket), 'ECONNRESET');
  const again = channelPair({ seed: 9 });
  const returned = new UpstreamPeer(again.server, 'server', world.random);
  client.attach(again.client);
  await until(() => returned.finsForUnknown.length > 0);
  t.same(returned.finsForUnknown, [id]);
});

t.test('data for an unknown tunnel is answered with a fin, and a fin is not answered', async (t) => {
  const world = new World(t);
  const channels = channelPair();
  const upstream = new UpstreamPeer(channels.server, 'server', world.random);
  world.service().attach(channels.client);
  upstream.send(0x0601, 4711);
  upstream.send(0x0600, 4712, Buffer.from('old'));
  await until(() => upstream.finsForUnknown.length > 0);
  t.same(upstream.finsForUnknown, [4712]);
  for (let count = 0; count < 500; count += 1) upstream.send(0x0600, count, Buffer.from('old'));
  upstream.send(0x0108, 0, Buffer.from('Hello'));
  await until(() => upstream.pongs.length === 1);
  t.ok(upstream.finsForUnknown.length <= 20, 'at most 20 a second');
});

t.test('a ping of upstream is answered with its own bytes', async (t) => {
  const world = new World(t);
  const channels = channelPair();
  const upstream = new UpstreamPeer(channels.client, 'client', world.random);
  world.service().attach(channels.server);
  for (const data of [Buffer.from('Hello'), Buffer.alloc(0), world.random.bytes(1365)]) {
    upstream.send(0x0108, 0, data);
    await until(() => upstream.pongs.length > 0);
    t.ok(upstream.pongs.pop()?.equals(data));
  }
});

t.test('our server carries bytes for an upstream client, and sends no frames of the extension', async (t) => {
  const { world, server, upstream, listener } = await ourServer(t, echo);
  const bytes = world.random.bytes(500_000);
  const socket = await world.connect(listener);
  socket.write(bytes);
  t.ok((await readSome(socket, bytes.length)).equals(bytes));
  socket.end();
  await until(() => server.list().length === 0 && upstream.tunnelIds.length === 0);
  t.same([upstream.unknownTypes, server.links.list()[0]?.terms], [[], 'upstream']);
});

t.test('an upstream client gets all bytes that a service sent before it ended', async (t) => {
  const { world, server, listener } = await ourServer(t, (socket) => void socket.end(Buffer.alloc(300_000, 5)));
  const socket = await world.connect(listener);
  await until(() => server.list()[0]?.bytesSent === 300_000);
  world.clock.advance(250);
  t.equal((await readAll(socket)).length, 300_000);
  await until(() => server.list().length === 0);
});

t.test('an upstream client whose target is refused gets a tunnel that ends at once', async (t) => {
  const world = new World(t);
  const channels = channelPair();
  const upstream = new UpstreamPeer(channels.client, 'client', world.random);
  world.service(() => ({ allowed: false, reason: 'no' })).attach(channels.server);
  const listener = await world.target((socket) => upstream.request(socket, '127.0.0.1', 22, 1));
  const socket = connect({ host: '127.0.0.1', port: listener });
  t.match(await howItEnds(socket), /ended|ECONNRESET/);
  t.same(upstream.types, [0x0610, 0x0601]);
});

t.test('a request without a forward id is dropped', async (t) => {
  const world = new World(t);
  const channels = channelPair();
  const upstream = new UpstreamPeer(channels.client, 'client', world.random);
  world.service().attach(channels.server);
  upstream.send(0x0602, 22, Buffer.from([1, 2, 3]));
  upstream.send(0x0108, 0, Buffer.from('Hello'));
  await until(() => upstream.pongs.length === 1);
  t.same(upstream.types, [0x0100]);
});

t.test('an upstream peer that floods a slow reader loses only that tunnel', async (t) => {
  const world = new World(t);
  const channels = channelPair({ capacity: 2000, burst: 500 });
  const upstream = new UpstreamPeer(channels.client, 'client', world.random);
  const server = world.service();
  server.attach(channels.server);
  const port = await world.target((socket) => void socket.pause());
  const kept = connect({
    host: '127.0.0.1',
    port: await world.target((socket) => upstream.request(socket, '127.0.0.1', port, 1)),
  });
  await until(() => upstream.tunnelIds.length === 1);
  const idle = upstream.tunnelIds[0] as number;
  const flood = connect({
    host: '127.0.0.1',
    port: await world.target((socket) => upstream.request(socket, '127.0.0.1', port, 2)),
  });
  await until(() => upstream.tunnelIds.length === 2);
  const closed = nextClosed(server);
  const block = Buffer.alloc(1365);
  const id = upstream.tunnelIds[1] as number;
  let highest = 0;
  while (upstream.tunnelIds.length === 2) {
    for (let count = 0; count < 1000; count += 1) upstream.send(0x0600, id, block);
    await until(() => channels.client.inFlight < 1000);
    highest = Math.max(highest, ...server.list().map((tunnel) => tunnel.backlog));
  }
  t.equal(await closed, 'overflow');
  t.ok(highest <= 16 * 1024 * 1024, `${highest} bytes waited`);
  t.same(upstream.tunnelIds, [idle]);
  kept.destroy();
  flood.destroy();
});

t.test('a datagram for a server as upstream gives one clear line, and nothing of it is sent', async (t) => {
  const world = new World(t);
  const channels = channelPair({ seed: 1 });
  const upstream = new UpstreamPeer(channels.server, 'server', world.random);
  const warnings: string[] = [];
  const log = { ...silentLogger, warn: (text: string) => void warnings.push(text) };
  const client = world.service(undefined, undefined, log);
  client.attach(channels.client);
  const target = { host: '127.0.0.1', port: 53, protocol: 'udp' } as const;
  const forward = await client.forward(channels.client.peerId, localSpec(target));
  const program = createSocket('udp4');
  t.teardown(() => program.close());
  for (let count = 0; count < 5; count += 1) program.send('?', forward.port, '127.0.0.1');
  await until(() => warnings.length > 0);
  t.same(warnings, [
    'udp:127.0.0.1:53: the server is an original tuntox, which has neither UDP nor Unix sockets: give HOST:PORT of a TCP service, or update the server',
  ]);
  t.same(upstream.types, [0x0108], 'no more than a ping');
});

t.test(
  'a program that asks the proxy for UDP is refused at once when the server is known to be as upstream',
  async (t) => {
    const { world, client, serverId } = await ourClient(t, echo, 26);
    const forward = await client.forward(serverId, {
      kind: 'dynamic',
      at: { kind: 'port', bind: '127.0.0.1', port: 0 },
    });
    t.equal(await client.links.services(serverId), undefined);
    const program = await world.connect(forward.port);
    program.write(Buffer.from('05010005030001000000000000', 'hex'));
    t.equal((await readAll(program)).toString('hex'), '050005070001000000000000', 'command not supported');
  },
);

t.test('an upstream server is not asked for what it does not have', async (t) => {
  const { world, client, upstream, serverId } = await ourClient(t, echo, 25);
  const refusalOf = async (target: Target): Promise<Reason> =>
    new Promise((resolve, reject) => {
      const onAccepted = (): never => {
        reject(new Error('accepted'));
        throw new Error('accepted');
      };
      client.opener(serverId).open(target, { onAccepted, onRefused: resolve });
    });
  const reasons = Promise.all([
    refusalOf({ host: '/run/a.sock', port: 0 }),
    refusalOf({ host: '127.0.0.1', port: 53, protocol: 'udp' }),
    refusalOf({ host: 'ssh', port: 0 }),
  ]);
  let answered: readonly Reason[] | undefined;
  void reasons.then((all) => {
    answered = all;
  });
  await until(() => {
    world.clock.advance(100);
    return answered !== undefined;
  });
  t.strictSame(answered, ['no-extension', 'no-extension', 'no-services']);
  t.same(upstream.unknownTypes, []);
});
