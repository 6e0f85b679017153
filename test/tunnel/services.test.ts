/** Services by name, over a channel between our peers and to an upstream server. */
import type { Socket } from 'node:net';
import t from 'tap';
import { silentLogger } from '../../src/base/logger.js';
import type { MayReach } from '../../src/tunnel/server/request-handler.js';
import { serviceOf } from '../../src/tunnel/wire/target.js';
import { channelPair } from './support/channel-pair.js';
import { localSpec } from './support/local-spec.js';
import { UpstreamPeer } from './support/upstream-peer.js';
import { howItEnds, readAll, until, World } from './support/world.js';

const echo = (socket: Socket): void => void socket.pipe(socket);
const byName = (name: string) => localSpec({ host: name, port: 0 });

async function serverOf(world: World) {
  const port = await world.target(echo);
  const mayReach: MayReach = (_peer, target) =>
    serviceOf(target) === 'echo'
      ? { allowed: true, target: { host: '127.0.0.1', port } }
      : { allowed: false, reason: 'no such service' };
  const channels = channelPair();
  const services = [{ name: 'echo', port }];
  const server = world.service(mayReach, undefined, silentLogger, undefined, services);
  const client = world.service();
  client.attach(channels.client);
  server.attach(channels.server);
  return { channels, server, client, port, services, serverId: channels.client.peerId };
}

t.test('a client reaches a service by its name, and sees the name as the target', async (t) => {
  const world = new World(t);
  const { client, server, serverId } = await serverOf(world);
  const forward = await client.forward(serverId, byName('Echo'));
  const socket = await world.connect(forward.port);
  socket.write('x');
  await until(() => server.list().length === 1);
  t.match(server.list(), [{ target: { host: 'Echo', port: 0 } }]);
  socket.end();
  t.equal((await readAll(socket)).toString(), 'x');
});

t.test('a client asks for the services that it may reach, before any tunnel', async (t) => {
  const { client, serverId, port } = await serverOf(new World(t));
  t.same(await client.links.services(serverId), [{ name: 'echo', port }]);
  t.same(await client.links.services(serverId), [{ name: 'echo', port }], 'known from then on');
  await t.rejects(client.links.services('00'.repeat(32)), { code: 'peer-offline' });
});

t.test('a service that does not exist is refused, and so is port 0 of a host', async (t) => {
  const world = new World(t);
  const channels = channelPair();
  const server = world.service(() => ({ allowed: true }));
  const client = world.service();
  client.attach(channels.client);
  server.attach(channels.server);
  for (const host of ['other', '127.0.0.1']) {
    const forward = await client.forward(channels.client.peerId, byName(host));
    const refused = new Promise((resolve) => server.once('refused', (_peer, _target, reason) => resolve(reason)));
    t.equal(await howItEnds(await world.connect(forward.port)), 'ECONNRESET');
    t.equal(await refused, 'bad-request', host);
  }
});

t.test('a client learns of services that change while it is connected', async (t) => {
  const world = new World(t);
  const { client, server, serverId, services } = await serverOf(world);
  await client.links.services(serverId);
  services.push({ name: 'web', port: 80 });
  server.review();
  await client.links.ping(serverId);
  t.same(await client.links.services(serverId), services);
});

t.test('a service that gets another target while it is connected to is refused', async (t) => {
  const world = new World(t);
  const port = await world.target(echo);
  const other = await world.target(echo);
  const asked: unknown[] = [];
  const mayReach: MayReach = (_peer, _target, reached) => {
    asked.push(reached);
    return reached === undefined
      ? { allowed: true, target: { host: '127.0.0.1', port } }
      : { allowed: reached.destination?.port === other, reason: 'it is another now' };
  };
  const channels = channelPair();
  const server = world.service(mayReach);
  const client = world.service();
  client.attach(channels.client);
  server.attach(channels.server);
  const forward = await client.forward(channels.client.peerId, byName('echo'));
  t.equal(await howItEnds(await world.connect(forward.port)), 'ECONNRESET');
  t.match(asked, [undefined, { address: '127.0.0.1', destination: { host: '127.0.0.1', port } }]);
});

t.test('an upstream server is never asked for a service: it would look the name up', async (t) => {
  const world = new World(t);
  const channels = channelPair();
  const upstream = new UpstreamPeer(channels.server, 'server', world.random);
  channels.client.isRecording = true;
  const client = world.service();
  client.attach(channels.client);
  const forward = await client.forward(channels.client.peerId, byName('ssh'));
  t.equal(await howItEnds(await world.connect(forward.port)), 'ECONNRESET');
  t.same(
    channels.client.sent.map((packet) => packet.readUInt16BE(2)),
    [0x0108],
    'nothing but the hello',
  );
  t.equal(await client.links.services(channels.client.peerId), undefined);
  t.same(upstream.tunnelIds, []);
});
