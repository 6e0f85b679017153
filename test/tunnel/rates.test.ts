/** The limits of a client, over real sockets and on a simulated clock. */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import t, { type Test } from 'tap';
import { silentLogger } from '../../src/base/logger.js';
import type { RemoteForward } from '../../src/tunnel/client/remote-forward.js';
import type { PeerLimits } from '../../src/tunnel/server/peer-limits.js';
import { TunnelService } from '../../src/tunnel/tunnel-service.js';
import { channelPair } from './support/channel-pair.js';
import { localSpec } from './support/local-spec.js';
import { UpstreamPeer } from './support/upstream-peer.js';
import { howItEnds, pairOfOurs, until, World } from './support/world.js';

const MIB = 1024 * 1024;
const RATE = MIB;
const BLOCK = Buffer.alloc(64 * 1024);

/** A program that sends without an end, as fast as it can. */
function pump(socket: Socket): void {
  const push = (): void => {
    while (socket.writable && socket.write(BLOCK));
  };
  socket.on('drain', push);
  push();
}

/** A program that counts what it gets. */
function counted(socket: Socket): { bytes: number } {
  const count = { bytes: 0 };
  socket.on('data', (bytes) => {
    count.bytes += bytes.length;
  });
  return count;
}

/** Lets simulated time pass, and after each step everything arrive that is under way. */
async function pass({ clock }: World, duration: number): Promise<void> {
  for (let at = 0; at < duration; at += 20) {
    clock.advance(20);
    for (let turn = 0; turn < 6; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  }
}

async function start(t: Test, onConnection: (socket: Socket) => void, first: Partial<PeerLimits> = { rate: RATE }) {
  const limits: { now: PeerLimits } = { now: { rate: undefined, maxTunnels: undefined, ...first } };
  const pair = await pairOfOurs(t, onConnection, { limitsOf: () => limits.now });
  const limitTo = (changed: Partial<PeerLimits>): void => {
    limits.now = { rate: undefined, maxTunnels: undefined, ...changed };
    pair.server.review();
  };
  return { ...pair, limitTo };
}

const isNear = (value: number, expected: number): boolean => Math.abs(value - expected) <= expected * 0.05;
const sum = (counts: readonly { readonly bytes: number }[]): number =>
  counts.reduce((all, { bytes }) => all + bytes, 0);

t.test(
  'all tunnels of a client together get the rate from their targets, within 5 % over 10 s, in equal shares',
  async (t) => {
    const { world, port } = await start(t, pump);
    const counts = [];
    for (let count = 0; count < 4; count += 1) counts.push(counted(await world.connect(port)));
    await pass(world, 1_000);
    const before = counts.map(({ bytes }) => bytes);
    await pass(world, 10_000);
    const got = counts.map(({ bytes }, at) => bytes - (before[at] as number));
    const all = got.reduce((one, other) => one + other, 0);
    t.ok(isNear(all, 10 * RATE), `${all} bytes`);
    for (const one of got) t.ok(Math.abs(one - all / 4) < all / 20, `${one} of ${all}`);
  },
);

t.test('their targets together get the rate, in equal shares, and what waits for them is bounded', async (t) => {
  const counts: { bytes: number }[] = [];
  const { world, port, server } = await start(t, (socket) => counts.push(counted(socket)));
  for (let count = 0; count < 4; count += 1) pump(await world.connect(port));
  await pass(world, 1_000);
  const before = sum(counts);
  await pass(world, 10_000);
  const all = sum(counts) - before;
  t.ok(isNear(all, 10 * RATE), `${all} bytes`);
  for (const { bytes } of counts)
    t.ok(Math.abs(bytes - sum(counts) / 4) < sum(counts) / 10, `${bytes} of ${sum(counts)}`);
  const waiting = server.list().reduce((one, { backlog }) => one + backlog, 0);
  t.ok(waiting <= 4 * MIB, `${waiting} bytes wait`);
});

t.test('the two directions do not take from each other', async (t) => {
  const counts: { bytes: number }[] = [];
  const { world, port } = await start(t, (socket) => {
    counts.push(counted(socket));
    pump(socket);
  });
  const socket = await world.connect(port);
  const received = counted(socket);
  pump(socket);
  await pass(world, 10_000);
  t.ok(isNear(received.bytes, 10 * RATE), `${received.bytes} bytes from the target`);
  t.ok(isNear(sum(counts), 10 * RATE), `${sum(counts)} bytes to the target`);
});

t.test('a changed rate counts at once for open tunnels', async (t) => {
  const { world, port, limitTo } = await start(t, pump, {});
  const count = counted(await world.connect(port));
  await until(() => count.bytes > 20 * MIB);
  limitTo({ rate: RATE });
  await pass(world, 500);
  const before = count.bytes;
  await pass(world, 10_000);
  t.ok(isNear(count.bytes - before, 10 * RATE), `${count.bytes - before} bytes`);
  limitTo({});
  const then = count.bytes;
  await until(() => count.bytes > then + 20 * MIB);
});

t.test('short connections do not escape the rate', async (t) => {
  const { world, port } = await start(t, (socket) => socket.end(Buffer.alloc(20_000)), { rate: 20_000 });
  let done = 0;
  /** One after the other. */
  const next = async (): Promise<void> => {
    const socket = await world.connect(port);
    socket.resume().once('end', () => {
      done += 1;
      socket.end();
      void next();
    });
  };
  void next();
  await pass(world, 10_000);
  t.ok(done >= 8 && done <= 11, `${done} of 20 kB in 10 s at 20 kB/s`);
});

t.test('a client has as many tunnels as it may, and loses the newest when it may have fewer', async (t) => {
  const { world, port, server, limitTo } = await start(t, () => {}, { maxTunnels: 3 });
  const refusals: string[] = [];
  server.on('refused', (_peer, _target, reason, detail) => refusals.push(`${reason}: ${detail}`));
  const sockets: Socket[] = [];
  for (let count = 1; count <= 3; count += 1) {
    sockets.push(await world.connect(port));
    await until(() => server.list().length === count);
  }
  t.equal(await howItEnds(await world.connect(port)), 'ECONNRESET');
  t.same(refusals, ['too-many-tunnels: this client may have 3 tunnels (--max-tunnels)']);
  const ends = sockets.slice(1).map(howItEnds);
  limitTo({ maxTunnels: 1 });
  t.same(await Promise.all(ends), ['ECONNRESET', 'ECONNRESET']);
  await until(() => server.list().length === 1);
  limitTo({});
  await world.connect(port);
  await until(() => server.list().length === 2);
});

t.test('an upstream client gets the rate from its targets', async (t) => {
  const world = new World(t);
  const channels = channelPair();
  const server = world.service(undefined, undefined, undefined, undefined, undefined, () => ({
    ...{ rate: RATE, maxTunnels: undefined },
  }));
  server.attach(channels.server);
  const client = new UpstreamPeer(channels.client, 'client', world.random);
  const target = await world.target(pump);
  let count = { bytes: 0 };
  const local = await world.target((socket) => client.request(socket, '127.0.0.1', target, 7));
  count = counted(await world.connect(local));
  await until(() => client.tunnelIds.length === 1);
  await pass(world, 10_000);
  t.ok(isNear(count.bytes, 10 * RATE), `${count.bytes} bytes`);
});

/** A UDP socket of this machine, which counts what it gets. */
async function datagrams(t: Test) {
  const socket = createSocket('udp4');
  const count = { bytes: 0 };
  socket.on('message', (bytes) => {
    count.bytes += bytes.length;
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  t.teardown(() => socket.close());
  return { socket, count, port: socket.address().port };
}

t.test('datagrams of a client above the rate are dropped, and a stream beside them has its share', async (t) => {
  const counts: { bytes: number }[] = [];
  const { world, port, client, serverId } = await start(t, (socket) => counts.push(counted(socket)));
  const target = await datagrams(t);
  const forward = await client.forward(serverId, localSpec({ host: '127.0.0.1', port: target.port, protocol: 'udp' }));
  const local = await datagrams(t);
  const bytes = Buffer.alloc(1_000);
  /** Sends three times the rate for ten seconds. */
  const flood = async (): Promise<void> => {
    for (let at = 0; at < 10_000; at += 20) {
      for (let count = 0; count < 60; count += 1) local.socket.send(bytes, forward.port, '127.0.0.1');
      await pass(world, 20);
    }
  };
  await flood();
  t.ok(isNear(target.count.bytes, 10 * RATE), `${target.count.bytes} bytes`);
  const before = target.count.bytes;
  pump(await world.connect(port));
  await flood();
  const got = target.count.bytes - before;
  t.ok(isNear(got + sum(counts), 10 * RATE), `${got} and ${sum(counts)} bytes`);
  t.ok(got > 3 * RATE && sum(counts) > 3 * RATE);
});

t.test('connections at a port that the client has opened (-R) count for its rate and its tunnels', async (t) => {
  const world = new World(t);
  const channels = channelPair();
  const { clock, random } = world;
  const server = new TunnelService({
    ...{ clock, random, log: silentLogger, descriptors: Number.POSITIVE_INFINITY },
    policy: {
      mayReach: () => ({ allowed: true }),
      mayListen: () => ({ allowed: true }),
      limitsOf: () => ({ rate: RATE, maxTunnels: 2 }),
    },
  });
  t.teardown(() => server.stop());
  const client = world.service();
  server.attach(channels.server);
  client.attach(channels.client, { isServer: true });
  const target = { host: '127.0.0.1', port: await world.target(pump) };
  const at = { kind: 'port', bind: '127.0.0.1', port: 0 } as const;
  const forward = (await client.forward(channels.client.peerId, { kind: 'reverse', at, target })) as RemoteForward;
  await until(() => forward.remote.state.kind === 'listening');
  const sockets = await Promise.all([1, 2, 3, 4, 5].map(() => world.connect(forward.port)));
  const counts = sockets.map(counted);
  await until(() => sockets.filter(({ destroyed }) => destroyed).length === 3 && server.list().length === 2);
  await pass(world, 1_000);
  const before = sum(counts);
  await pass(world, 10_000);
  t.ok(isNear(sum(counts) - before, 10 * RATE), `${sum(counts) - before} bytes`);
});
