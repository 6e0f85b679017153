/** Peers that send arbitrary frames: nothing throws, memory does not grow, and the tunnels of other peers continue. */
import { once } from 'node:events';
import type { Socket } from 'node:net';
import t from 'tap';
import { silentLogger } from '../../src/base/logger.js';
import type { MayReach } from '../../src/tunnel/server/request-handler.js';
import { encodeFrame } from '../../src/tunnel/wire/frame.js';
import { encodeHello } from '../../src/tunnel/wire/hello.js';
import { encodeEarly, encodeRequest } from '../../src/tunnel/wire/request.js';
import { SeededRandom } from '../support/seeded-random.js';
import { channelPair } from './support/channel-pair.js';
import { localSpec } from './support/local-spec.js';
import { RawPeer } from './support/raw-peer.js';
import { readAll, until, World } from './support/world.js';

const TYPES = [
  0x0100, 0x0108, 0x0600, 0x0601, 0x0602, 0x0604, 0x0610, 0x0620, 0x0621, 0x0622, 0x0624, 0x0680, 0x0681, 0x06a0,
  0x06a1, 0x06a2,
];
const hello = encodeFrame(0x0108, 0, encodeHello({ kind: 'hello', version: 2, initialWindow: 65536 }));

t.test('random and mutated frames on a live link break only their own tunnels', async (t) => {
  for (const seed of [31, 32, 33, 34]) {
    const world = new World(t, seed);
    const random = new SeededRandom(seed);
    const port = await world.target((socket) => void socket.pipe(socket));
    const services = Array.from({ length: 64 }, (_, at) => ({ name: `${'s'.repeat(30)}${at}`, port: 1 }));
    const mayReach: MayReach = (_peer, target) =>
      target.port !== 0 || target.host === 'echo'
        ? { allowed: true, target: { host: '127.0.0.1', port } }
        : { allowed: false, reason: 'no service' };
    const server = world.service(mayReach, undefined, silentLogger, undefined, services);
    const evil = channelPair({ seed, refusals: 0.02 });
    const peer = new RawPeer(evil.client);
    server.attach(evil.server);
    const fine = channelPair({ seed: seed + 1 });
    Object.defineProperty(fine.server, 'peerId', { value: 'f1'.repeat(32) });
    server.attach(fine.server);
    const client = world.service();
    client.attach(fine.client);
    const forward = await client.forward(fine.client.peerId, localSpec({ host: '127.0.0.1', port }));
    if (seed % 2 === 0) peer.send(hello);
    for (let round = 0; round < 4000; round += 1) {
      const id =
        random.below(3) === 0 || peer.ids.length === 0
          ? random.below(0x10000)
          : (peer.ids[random.below(peer.ids.length)] as number);
      let packet = encodeFrame(TYPES[random.below(TYPES.length)] as number, id, random.bytes(random.below(64)));
      const kind = random.below(20);
      if (kind < 3) packet = encodeRequest(random.below(100), { host: '127.0.0.1', port });
      if (kind === 3) packet = random.bytes(random.below(80));
      if (kind === 4) packet[random.below(packet.length)] = random.below(256);
      if (kind === 5) packet = packet.subarray(0, random.below(packet.length));
      if (kind === 6) packet = Buffer.from(hello);
      if (kind === 7) packet = encodeRequest(random.below(100), { host: 'echo', port: 0 });
      if (kind === 9) packet = encodeEarly(random.below(100), random.bytes(random.below(1000)));
      if (kind === 8) packet = encodeRequest(random.below(100), { host: random.bytes(8).toString('latin1'), port: 0 });
      peer.send(packet);
      if (round % 100 === 0) server.review();
      if (round % 50 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    await until(() => peer.waiting === 0);
    const socket = await world.connect(forward.port);
    socket.end('alive');
    t.equal((await readAll(socket)).toString(), 'alive', `seed ${seed}`);
    evil.client.close();
    await until(() => server.list().length === 0);
  }
});

t.test('frames of a hostile server break nothing at an opener', async (t) => {
  const world = new World(t, 41);
  const random = new SeededRandom(41);
  const client = world.service();
  const evil = channelPair({ seed: 41 });
  const peer = new RawPeer(evil.server);
  client.attach(evil.client);
  const forward = await client.forward(evil.client.peerId, localSpec({ host: 'h', port: 1 }));
  const sockets = await Promise.all(Array.from({ length: 20 }, () => world.connect(forward.port)));
  for (const socket of sockets) socket.resume().write('x');
  await until(() => peer.received.length === 21);
  const forwardIds = peer.received.slice(1).map((packet) => packet.subarray(8, 12));
  for (let round = 0; round < 3000; round += 1) {
    const type = TYPES[random.below(TYPES.length)] as number;
    const data = type === 0x0610 ? (forwardIds[random.below(20)] as Buffer) : random.bytes(random.below(20));
    peer.send(encodeFrame(type, random.below(30), data));
  }
  await until(() => peer.waiting === 0 && evil.server.inFlight === 0);
  evil.client.close();
  // Programs that got the end may continue for a while.
  await until(() => {
    world.clock.advance(1000);
    return client.list().length === 0;
  });
  t.pass();
});

t.test(
  'whatever a server answers about its services, a client keeps 64 at most, with names that can be typed',
  async (t) => {
    const random = new SeededRandom(51);
    for (let run = 0; run < 20; run += 1) {
      const world = new World(t, 51 + run);
      const client = world.service();
      const evil = channelPair({ seed: 51 + run });
      const peer = new RawPeer(evil.server);
      client.attach(evil.client);
      const asked = client.links.services(evil.client.peerId);
      for (let round = 0; round < 300; round += 1) {
        const services = Array.from({ length: random.below(40) }, () => {
          return { name: random.bytes(1 + random.below(8)).toString('latin1'), port: random.below(3) };
        });
        const answer = {
          kind: 'answer',
          version: 1,
          initialWindow: 65536,
          hasMore: random.below(3) > 0,
          services,
        } as const;
        const data = encodeHello(answer);
        if (random.below(4) === 0) data[16 + random.below(Math.max(1, data.length - 16))] = random.below(256);
        peer.send(encodeFrame(0x0100, 0, data));
        peer.send(encodeFrame(0x0604, 0, random.bytes(random.below(8))));
      }
      peer.send(encodeFrame(0x0100, 0, encodeHello({ kind: 'answer', version: 1, initialWindow: 65536 })));
      await until(() => peer.waiting === 0);
      for (const { name, port } of (await asked) ?? []) t.match([name, port > 0], [/^[a-z][a-z0-9._-]{0,31}$/, true]);
      t.ok(((await client.links.services(evil.client.peerId)) ?? []).length <= 64);
    }
  },
);

t.test('an extended peer that ignores its window loses that tunnel, and its waiting bytes were bounded', async (t) => {
  const world = new World(t);
  const server = world.service();
  const evil = channelPair({ capacity: 2000, burst: 500 });
  const peer = new RawPeer(evil.client);
  server.attach(evil.server);
  const port = await world.target((socket) => void socket.pause());
  peer.send(hello);
  peer.send(encodeRequest(1, { host: '127.0.0.1', port }));
  await until(() => peer.ids.length === 1);
  const closed = once(server, 'closed');
  let highest = 0;
  while (server.list().length === 1) {
    for (let count = 0; count < 50; count += 1)
      peer.send(encodeFrame(0x0600, peer.ids[0] as number, Buffer.alloc(1365)));
    await until(() => peer.waiting === 0);
    highest = Math.max(highest, server.list()[0]?.backlog ?? 0);
    // This peer never sends the last frame that is due.
    if (peer.received.some((packet) => packet.readUInt16BE(2) === 0x06a2))
      peer.send(encodeFrame(0x0601, peer.ids[0] as number));
  }
  t.equal((await closed)[1], 'overflow');
  t.ok(highest <= 16 * 1024 * 1024, `${highest}`);
});

t.test('requests beyond the limit are refused, and answered requests free their place', async (t) => {
  const world = new World(t);
  const server = world.service();
  const evil = channelPair({ capacity: 100, burst: 100 });
  const peer = new RawPeer(evil.client);
  server.attach(evil.server);
  const sockets: Socket[] = [];
  const port = await world.target((socket) => void sockets.push(socket));
  peer.send(hello);
  const denied = (): number => peer.received.filter((packet) => packet.readUInt16BE(2) === 0x0604).length;
  for (let wave = 1; wave <= 11; wave += 1) {
    for (let count = 0; count < 100; count += 1) peer.send(encodeRequest(count, { host: '127.0.0.1', port }));
    await until(() => peer.ids.length + denied() === wave * 100);
  }
  t.equal(peer.ids.length, 1024);
  for (const id of peer.ids) peer.send(encodeFrame(0x0622, id));
  await until(() => server.list().length === 0);
  peer.send(encodeRequest(5000, { host: '127.0.0.1', port }));
  await until(() => peer.ids.length === 1025);
  t.pass();
});

t.test('in a burst of requests beyond the dial limit each is answered, some with a refusal', async (t) => {
  const world = new World(t);
  const evil = channelPair({ capacity: 1000, burst: 1000 });
  const peer = new RawPeer(evil.client);
  world.service().attach(evil.server);
  const port = await world.target(() => {});
  peer.send(hello);
  for (let count = 0; count < 600; count += 1) peer.send(encodeRequest(count, { host: '127.0.0.1', port }));
  const denied = (): number => peer.received.filter((packet) => packet.readUInt16BE(2) === 0x0604).length;
  await until(() => peer.ids.length + denied() === 600);
  t.ok(peer.ids.length >= 256 && peer.ids.length < 600, `${peer.ids.length}`);
});

t.test('a flood of pings from a peer that does not read is answered up to a bound', async (t) => {
  const world = new World(t);
  const evil = channelPair({ capacity: 10 });
  const peer = new RawPeer(evil.client);
  world.service().attach(evil.server);
  evil.server.isStalled = true;
  for (let count = 0; count < 5000; count += 1) peer.send(encodeFrame(0x0108, 0, Buffer.alloc(1365)));
  await until(() => peer.waiting === 0 && evil.client.inFlight === 0);
  evil.server.resume();
  await until(() => evil.server.inFlight === 0);
  await new Promise((resolve) => setImmediate(resolve));
  t.ok(peer.received.length <= 322 + 10, `${peer.received.length} pongs`);
});
