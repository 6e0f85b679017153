/** A peer that does not come back says so. */
import t from 'tap';
import { channelPair } from './support/channel-pair.js';
import { UpstreamPeer } from './support/upstream-peer.js';
import { until, World } from './support/world.js';

t.test('a peer that has greeted hears of the end, and its departure ends the wait', async (t) => {
  const world = new World(t);
  const channels = channelPair();
  const [client, server] = [world.service(), world.service()];
  client.attach(channels.client, { isServer: true });
  server.attach(channels.server);
  await until(() => server.links.list()[0]?.terms === 'extended');
  const heard: string[] = [];
  client.on('ended', (peerId, reason) => {
    heard.push(`${peerId} ${reason}`);
    channels.client.close();
    channels.server.close();
  });
  await server.tellEnd('share-ended');
  t.same(heard, [`${channels.client.peerId} share-ended`]);
  t.same(server.links.list(), []);
});

t.test('an upstream peer is told nothing, and nobody waits for it', async (t) => {
  const world = new World(t);
  const channels = channelPair();
  const server = world.service();
  new UpstreamPeer(channels.client, 'client', world.random);
  server.attach(channels.server);
  await server.tellEnd('share-ended');
  t.equal(server.links.list()[0]?.terms, 'unknown');
});
