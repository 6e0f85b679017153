/** What a server logs about the tunnels of one client, and of a thousand. */
import type { Socket } from 'node:net';
import t from 'tap';
import { silentLogger } from '../../src/base/logger.js';
import type { MayReach } from '../../src/tunnel/server/request-handler.js';
import { channelPair, TestChannel } from './support/channel-pair.js';
import { localSpec } from './support/local-spec.js';
import { until, World } from './support/world.js';

/** A server, the lines of its log, and its events. */
function startServer(world: World, mayReach?: MayReach) {
  const lines: string[] = [];
  const log = { ...silentLogger, info: (text: string) => void lines.push(text), child: () => silentLogger };
  const server = world.service(mayReach, undefined, log);
  const counts = { opened: 0, closed: 0, refused: 0 };
  for (const name of ['opened', 'closed', 'refused'] as const) {
    server.on(name, () => {
      counts[name] += 1;
    });
  }
  return { server, lines, counts };
}

t.test('each tunnel of an honest client is logged when it opens and when it ends', async (t) => {
  const world = new World(t);
  const { server, lines, counts } = startServer(world);
  const channels = channelPair();
  const client = world.service();
  client.attach(channels.client);
  server.attach(channels.server);
  const port = await world.target((socket: Socket) => void socket.pipe(socket));
  const target = { host: '127.0.0.1', port };
  const forward = await client.forward(channels.client.peerId, localSpec(target));
  for (let round = 0; round < 9; round += 1) {
    const sockets = await Promise.all(Array.from({ length: 10 }, () => world.connect(forward.port)));
    await until(() => server.list().length === 10);
    for (const socket of sockets) socket.resume().end();
    await until(() => server.list().length === 0);
  }
  t.match(counts, { opened: 90, closed: 90 });
  for (const what of ['opened', 'ended']) {
    t.equal(lines.filter((line) => line.startsWith(`c1c1c1c1: tunnel to 127.0.0.1:${port} ${what}`)).length, 90, what);
  }
  t.equal(lines.length, 180);
});

t.test(
  'a flood of refused requests is summarized with an exact count, and the lines of other clients still appear',
  async (t) => {
    const world = new World(t);
    const { server, lines, counts } = startServer(world, () => ({ allowed: false, reason: 'not for you' }));
    const clients = [channelPair(), secondPair()].map(({ client, server: end }) => {
      const service = world.service();
      service.attach(client);
      server.attach(end);
      return service.opener(client.peerId);
    });
    const request = (opener: (typeof clients)[number] | undefined): void =>
      void opener?.open(
        { host: 'example.org', port: 25 },
        { onAccepted: () => t.fail() as never, onRefused: () => {} },
      );
    for (let round = 0; round < 10; round += 1) {
      for (let count = 0; count < 100; count += 1) request(clients[0]);
      await until(() => counts.refused === (round + 1) * 100);
    }
    t.equal(lines.length, 200);
    request(clients[1]);
    await until(() => counts.refused === 1_001);
    t.equal(lines.at(-1), 'd2d2d2d2: example.org:25 refused: not for you');
    world.clock.advance(60_000);
    t.equal(lines.at(-1), 'c1c1c1c1: in the last minute also 800 requests refused');
    t.equal(lines.length, 202);
  },
);

/** The same request from another client. */
function secondPair(): ReturnType<typeof channelPair> {
  const { client } = channelPair({ seed: 2 });
  const server = new TestChannel('d2'.repeat(32), new World(t).random, {});
  TestChannel.connect(client, server);
  return { client, server };
}
