import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import t, { type Test } from 'tap';
import { FloodLog } from '../../../src/base/flood-log.js';
import { silentLogger } from '../../../src/base/logger.js';
import { UdpForward } from '../../../src/tunnel/client/udp-forward.js';
import type { MayReach } from '../../../src/tunnel/server/request-handler.js';
import type { TunnelService } from '../../../src/tunnel/tunnel-service.js';
import type { Target } from '../../../src/tunnel/wire/target.js';
import { freeUdpPort } from '../../support/processes.js';
import { SeededRandom } from '../../support/seeded-random.js';
import { type ChannelOptions, channelPair } from '../support/channel-pair.js';
import { until, World } from '../support/world.js';

/** A UDP program of this machine. */
async function program(t: Test, address = '127.0.0.1'): Promise<{ socket: Socket; received: Buffer[]; port: number }> {
  const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4');
  const received: Buffer[] = [];
  socket.on('message', (bytes) => received.push(bytes));
  socket.on('error', () => {});
  socket.bind(0, address);
  await once(socket, 'listening');
  t.teardown(() => socket.close());
  socket.setRecvBufferSize(4 * 1024 * 1024);
  return { socket, received, port: socket.address().port };
}

/** A target that returns each datagram. */
async function echo(t: Test): Promise<Target & { readonly socket: Socket }> {
  const { socket, port } = await program(t);
  socket.on('message', (bytes, { port: from, address }) => socket.send(bytes, from, address));
  return { host: '127.0.0.1', port, protocol: 'udp', socket };
}

interface Options extends ChannelOptions {
  readonly mayReach?: MayReach;
  readonly hasRoom?: () => boolean;
}

async function setUp(t: Test, target: Target, options: Options = {}) {
  const world = new World(t, options.seed);
  const channels = channelPair(options);
  const client = world.service();
  const server = world.service(options.mayReach);
  client.attach(channels.client);
  server.attach(channels.server);
  const refusals: string[] = [];
  server.on('refused', (_peer, _target, reason) => refusals.push(reason));
  const floodLog = new FloodLog({ clock: world.clock, log: silentLogger });
  const forward = new UdpForward(
    {
      clock: world.clock,
      opener: client.opener(channels.client.peerId),
      log: silentLogger,
      floodLog,
      hasRoom: options.hasRoom ?? (() => true),
    },
    { spec: { kind: 'local', at: { kind: 'port', bind: '127.0.0.1', port: 0 }, target } },
  );
  await forward.listen();
  t.teardown(() => forward.close());
  return { world, channels, client, server, forward, refusals };
}

const closedReasons = (service: TunnelService): (string | undefined)[] => {
  const reasons: (string | undefined)[] = [];
  service.on('closed', (_tunnel, reason) => reasons.push(reason));
  return reasons;
};

t.test('datagrams go to the target and back, whole, and are counted', async (t) => {
  const { forward, client, server } = await setUp(t, await echo(t));
  const local = await program(t);
  const sizes = [0, 1, 1137, 1369, 1370, 9000, 65_507];
  const random = new SeededRandom(4);
  for (const size of sizes) {
    const bytes = random.bytes(size);
    local.received.length = 0;
    local.socket.send(bytes, forward.port, '127.0.0.1');
    await until(() => local.received.length > 0);
    t.ok(local.received[0]?.equals(bytes), `${size} bytes`);
  }
  const sum = sizes.reduce((all, size) => all + size, 0);
  t.match(client.list(), [{ peerRole: 'server', bytesSent: sum, bytesReceived: sum, backlog: 0, isClosing: false }]);
  t.match(server.list(), [
    {
      peerRole: 'client',
      bytesSent: sum,
      bytesReceived: sum,
      remoteAddress: '127.0.0.1',
      target: { protocol: 'udp' },
    },
  ]);
  t.same(forward.traffic, { open: 1, total: 1, bytesSent: sum, bytesReceived: sum });
});

t.test('datagrams that come before the answer wait, few of them', async (t) => {
  const { forward } = await setUp(t, await echo(t));
  const local = await program(t);
  for (let number = 0; number < 40; number += 1) local.socket.send(Buffer.from([number]), forward.port, '127.0.0.1');
  await until(() => local.received.length >= 16);
  t.same(local.received[0], Buffer.from([0]));
});

t.test('each program has a session of its own, and gets its own answers', async (t) => {
  const { forward, client } = await setUp(t, await echo(t));
  const programs = [await program(t), await program(t), await program(t)];
  for (const [index, { socket }] of programs.entries()) socket.send(Buffer.from([index]), forward.port, '127.0.0.1');
  await until(() => programs.every(({ received }) => received.length === 1));
  for (const [index, { received }] of programs.entries()) t.same(received, [Buffer.from([index])]);
  t.equal(client.list().length, 3);
  t.equal(forward.traffic.open, 3);
});

t.test('a lost datagram delays no other, and one that lacks a fragment is lost as a whole', async (t) => {
  const { forward } = await setUp(t, await echo(t), { loss: 0.2, seed: 7 });
  const local = await program(t);
  const random = new SeededRandom(5);
  const sent = new Map<number, Buffer>();
  for (let number = 0; number < 300; number += 1) {
    const bytes = random.bytes(number % 3 === 0 ? 3000 : 500);
    bytes.writeUInt32BE(number);
    sent.set(number, bytes);
    local.socket.send(bytes, forward.port, '127.0.0.1');
    if (number % 10 === 0) await new Promise((resolve) => setTimeout(resolve, 2));
  }
  await until(() => local.received.length > 60);
  await new Promise((resolve) => setTimeout(resolve, 50));
  t.ok(local.received.length < 270, `${local.received.length}`);
  for (const bytes of local.received) {
    if (!sent.get(bytes.readUInt32BE())?.equals(bytes)) t.fail('a datagram that was not sent');
  }
});

t.test('a target that is not allowed gets no datagram', async (t) => {
  const target = await echo(t);
  let reached = 0;
  target.socket.on('message', () => {
    reached += 1;
  });
  const mayReach: MayReach = (_peer, { host }, at) =>
    host === '127.0.0.1' || at?.address === '127.0.0.1' ? { allowed: false, reason: 'no' } : { allowed: true };
  for (const host of ['127.0.0.1', 'localhost']) {
    const { forward, refusals } = await setUp(t, { ...target, host: host }, { mayReach });
    const local = await program(t);
    local.socket.send(Buffer.from('x'), forward.port, '127.0.0.1');
    if (host === '127.0.0.1') {
      await until(() => refusals.length > 0);
      t.same(refusals, ['not-allowed']);
    } else await new Promise((resolve) => setTimeout(resolve, 50));
  }
  t.equal(reached, 0);
});

t.test('a name is tried at its other address when the first one refuses', async (t) => {
  const target = await echo(t);
  const { forward } = await setUp(t, { ...target, host: 'localhost' });
  const local = await program(t);
  local.socket.send(Buffer.from('x'), forward.port, '127.0.0.1');
  await until(() => local.received.length > 0);
  t.same(local.received, [Buffer.from('x')]);
});

t.test('a port where nothing listens ends the session as refused, and the next datagram is a new one', async (t) => {
  const { forward, client } = await setUp(t, { host: '127.0.0.1', port: await freeUdpPort(), protocol: 'udp' });
  const reasons = closedReasons(client);
  const local = await program(t);
  for (const count of [1, 2]) {
    local.socket.send(Buffer.from('x'), forward.port, '127.0.0.1');
    await until(() => reasons.length === count);
  }
  t.same(reasons, ['connection-refused', 'connection-refused']);
  t.equal(forward.traffic.open, 0);
});

t.test('a refused session asks again after two seconds, not with each datagram', async (t) => {
  const mayReach: MayReach = () => ({ allowed: false, reason: 'no' });
  const { world, forward, refusals } = await setUp(t, await echo(t), { mayReach });
  const local = await program(t);
  const send = async (): Promise<void> => {
    local.socket.send(Buffer.from('x'), forward.port, '127.0.0.1');
    await new Promise((resolve) => setTimeout(resolve, 20));
  };
  for (let count = 0; count < 5; count += 1) await send();
  t.equal(refusals.length, 1);
  world.clock.advance(2_000);
  await send();
  await until(() => refusals.length === 2);
});

t.test('a session ends in good order after a minute without datagrams', async (t) => {
  const { world, forward, client, server } = await setUp(t, await echo(t));
  const reasons = [closedReasons(client), closedReasons(server)];
  const local = await program(t);
  const exchange = async (): Promise<void> => {
    const before = local.received.length;
    local.socket.send(Buffer.from('x'), forward.port, '127.0.0.1');
    await until(() => local.received.length > before);
  };
  await exchange();
  world.clock.advance(50_000);
  await exchange();
  world.clock.advance(50_000);
  await new Promise((resolve) => setTimeout(resolve, 10));
  t.equal(client.list().length, 1);
  world.clock.advance(10_000);
  await until(() => client.list().length === 0 && server.list().length === 0);
  t.same(reasons, [[undefined], [undefined]]);
  t.same(forward.traffic, { open: 0, total: 1, bytesSent: 2, bytesReceived: 2 });
  await exchange();
  t.equal(forward.traffic.total, 2, 'and another one begins');
});

t.test('a target on loopback sees the next session of a client at the port of the last one', async (t) => {
  const target = await echo(t);
  const ports: number[] = [];
  target.socket.on('message', (_bytes, { port }) => ports.push(port));
  const { world, forward, server } = await setUp(t, target);
  const [local, other] = [await program(t), await program(t)];
  const exchange = async ({ socket, received }: typeof local): Promise<void> => {
    const before = received.length;
    socket.send(Buffer.from('x'), forward.port, '127.0.0.1');
    await until(() => received.length > before);
  };
  await exchange(local);
  world.clock.advance(60_000);
  await until(() => server.list().length === 0);
  await exchange(local);
  await exchange(other);
  t.equal(ports[0], ports[1]);
  t.not(ports[2], ports[1], 'but not while that session is open');
});

t.test('the server ends a session that a client keeps without datagrams', async (t) => {
  const world = new World(t);
  const channels = channelPair();
  const [client, server] = [world.service(), world.service()];
  client.attach(channels.client);
  server.attach(channels.server);
  const reasons = closedReasons(server);
  client.opener(channels.client.peerId).open(await echo(t), {
    onAccepted: () => ({
      ...{ localPort: undefined, remoteAddress: undefined },
      ...{ start: () => {}, send: () => {}, reset: () => {}, destroy: () => {} },
    }),
    onRefused: () => {},
  });
  await until(() => server.list().length === 1);
  channels.client.isStalled = true;
  world.clock.advance(90_000);
  t.equal(server.list()[0]?.isClosing, true);
  channels.client.resume();
  await until(() => server.list().length === 0);
  t.same(reasons, [undefined]);
});

t.test('a forward has at most 512 sessions, and the longest idle one makes room', async (t) => {
  const target = await echo(t);
  const { world, forward, client } = await setUp(t, target);
  const ports = new Map<number, number>();
  const sources = await Promise.all(Array.from({ length: 520 }, () => program(t)));
  for (const [index, { socket, port }] of sources.entries()) {
    ports.set(port, index);
    world.clock.advance(1);
    const received = (sources[index] as { received: Buffer[] }).received;
    socket.send(Buffer.from('x'), forward.port, '127.0.0.1');
    await until(() => received.length > 0);
  }
  await until(() => client.list().length === 512);
  t.equal(forward.traffic.open, 512);
  t.equal(forward.traffic.total, 520);
});

t.test('without room for another tunnel a datagram is lost', async (t) => {
  let hasRoom = false;
  let asked = 0;
  const askForRoom = (): boolean => {
    asked += 1;
    return hasRoom;
  };
  const { forward, client } = await setUp(t, await echo(t), { hasRoom: askForRoom });
  const local = await program(t);
  local.socket.send(Buffer.from('x'), forward.port, '127.0.0.1');
  await until(() => asked > 0);
  t.equal(client.list().length, 0);
  hasRoom = true;
  local.socket.send(Buffer.from('y'), forward.port, '127.0.0.1');
  await until(() => local.received.length > 0);
  t.same(local.received, [Buffer.from('y')]);
});

t.test('a forward that closes ends its sessions, and an owner who closes one tells the other side', async (t) => {
  const { forward, client, server } = await setUp(t, await echo(t));
  const reasons = [closedReasons(client), closedReasons(server)];
  const programs = [await program(t), await program(t)];
  for (const { socket } of programs) socket.send(Buffer.from('x'), forward.port, '127.0.0.1');
  await until(() => programs.every(({ received }) => received.length > 0));
  server.closeTunnel(server.list()[0]?.number ?? 0);
  await until(() => client.list().length === 1 && server.list().length === 1);
  forward.close();
  await until(() => client.list().length === 0 && server.list().length === 0);
  t.same(reasons, [
    ['closed-by-owner', undefined],
    ['closed-by-owner', undefined],
  ]);
});

t.test('sessions of a lost channel end, and the next datagram waits for the next one', async (t) => {
  const { forward, client, server, channels } = await setUp(t, await echo(t));
  const reasons = [closedReasons(client), closedReasons(server)];
  const local = await program(t);
  local.socket.send(Buffer.from('x'), forward.port, '127.0.0.1');
  await until(() => local.received.length > 0);
  channels.client.close();
  t.same(reasons, [['connection-lost'], ['connection-lost']]);
  local.socket.send(Buffer.from('y'), forward.port, '127.0.0.1');
  await until(() => forward.pending === 1);
  const again = channelPair();
  client.attach(again.client);
  server.attach(again.server);
  await until(() => local.received.length > 1);
  t.same(local.received[1], Buffer.from('y'));
});
