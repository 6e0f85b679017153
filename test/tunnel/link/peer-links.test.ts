import { Socket } from 'node:net';
import t from 'tap';
import { silentLogger } from '../../../src/base/logger.js';
import type { LinkHandlers, PeerLink } from '../../../src/tunnel/link/peer-link.js';
import { PeerLinks } from '../../../src/tunnel/link/peer-links.js';
import { socketEnd } from '../../../src/tunnel/stream/local-end.js';
import { encodeFrame, PING, PONG, REQUEST_TUNNEL, TCP_FIN } from '../../../src/tunnel/wire/frame.js';
import { encodeAck } from '../../../src/tunnel/wire/request.js';
import { SeededRandom } from '../../support/seeded-random.js';
import { channelPair, type TestChannel } from '../support/channel-pair.js';
import { SocketClock } from '../support/socket-clock.js';
import { until } from '../support/world.js';

const SERVICES = [{ name: 'ssh', port: 22 }];

/** The links of one side, and what they have told. */
class Side {
  readonly clock = new SocketClock();
  readonly events: string[] = [];
  readonly links: PeerLinks;

  constructor() {
    const handlers: Omit<LinkHandlers, 'onClose'> = {
      services: () => SERVICES,
      limits: () => undefined,
      onListen: () => {},
      onUnlisten: () => {},
      onRequest: ({ answer }) => answer('not-allowed'),
      onEnd: (reason) => void this.events.push(`end ${reason}`),
      onTunnelOpened: () => void this.events.push('tunnel opened'),
      onTunnelClosed: (_, reason) => void this.events.push(`tunnel closed ${reason}`),
      onBacklog: () => {},
    };
    const { clock } = this;
    this.links = new PeerLinks({
      clock,
      random: new SeededRandom(1),
      log: silentLogger,
      handlersOf: () => handlers,
    });
    this.links.opened.add(() => void this.events.push('opened'));
    this.links.closed.add(() => void this.events.push('closed'));
  }
}

/** Two sides with a channel between them. */
function pair() {
  const [client, server, channels] = [new Side(), new Side(), channelPair()];
  client.links.attach(channels.client, true);
  server.links.attach(channels.server, false);
  return { client, server, channels, serverId: channels.client.peerId };
}

t.test('a peer has a link as long as its channel is open', async (t) => {
  const { client, channels, serverId } = pair();
  t.equal(client.links.find(serverId)?.channel, channels.client);
  t.match(client.links.list(), [{ peerId: serverId, terms: 'unknown', tunnels: 0 }]);
  channels.client.close();
  t.equal(client.links.find(serverId), undefined);
  t.same(client.links.all, []);
  t.same(client.events, ['opened', 'closed']);
});

t.test('another channel of the same peer takes the place of the one before, which closes first', async (t) => {
  const { client, channels, serverId } = pair();
  const next = channelPair();
  client.links.attach(next.client, true);
  t.same(client.events, ['opened', 'closed', 'opened']);
  channels.client.close();
  t.equal(client.links.find(serverId)?.channel, next.client, 'the late end of the first changes nothing');
  t.same(client.events, ['opened', 'closed', 'opened']);
});

t.test('the same channel makes one link, also when the peer turns out to be a server later', async (t) => {
  const [client, server, channels] = [new Side(), new Side(), channelPair()];
  client.links.attach(channels.client, false);
  server.links.attach(channels.server, false);
  client.links.attach(channels.client, true);
  t.same(client.events, ['opened']);
  await until(() => client.links.all[0]?.terms === 'extended');
});

t.test('a server is greeted at once, so that it can tell its end', async (t) => {
  const { client, server } = pair();
  await until(() => server.links.all[0]?.terms === 'extended');
  t.equal(server.links.all[0]?.sendEnd('share-ended'), true);
  await until(() => client.events.length === 2);
  t.equal(client.events[1], 'end share-ended');
});

t.test('a ping resolves to the round trip, and rejects without a link', async (t) => {
  const { client, serverId } = pair();
  t.equal(await client.links.ping(serverId), 0);
  await t.rejects(client.links.ping('00'.repeat(32)), { code: 'peer-offline' });
});

t.test('the services of a peer are asked for once, and known from then on', async (t) => {
  const { client, channels, serverId } = pair();
  t.same(await client.links.services(serverId), SERVICES);
  channels.client.isStalled = true;
  t.same(await client.links.services(serverId), SERVICES);
});

t.test('a peer that does not tell its services within 10 s is given up, and so is one that goes', async (t) => {
  const { client, channels, serverId } = pair();
  channels.client.isStalled = true;
  const silent = client.links.services(serverId);
  client.clock.advance(10_000);
  await t.rejects(silent, { code: 'timeout' });
  const gone = client.links.services(serverId);
  channels.client.close();
  await t.rejects(gone, { code: 'connection-lost' });
});

/** Opens a tunnel of an upstream server. */
async function openedAt(t: { teardown(end: () => void): void }, link: PeerLink | undefined): Promise<void> {
  const socket = new Socket();
  t.teardown(() => socket.destroy());
  const opened = new Promise<void>((resolve, reject) => {
    link?.open(
      { host: '127.0.0.1', port: 1 },
      {
        onAccepted: () => {
          resolve();
          return socketEnd(socket);
        },
        onRefused: reject,
      },
    );
  });
  await opened;
}

t.test('an upstream server is told on the next channel to close the tunnels of the last one', async (t) => {
  const client = new Side();
  const accept = (channel: TestChannel): number[] => {
    const ended: number[] = [];
    channel.receive({
      onPacket: (packet) => {
        const [type, id] = [packet.readUInt16BE(2), packet.readUInt16BE(4)];
        // As upstream: pings are returned as they are.
        if (type === PING) channel.send(encodeFrame(PONG, 0, packet.subarray(8)));
        else if (type === REQUEST_TUNNEL) channel.send(encodeAck(42, packet.readUInt32BE(8)));
        else if (type === TCP_FIN) ended.push(id);
      },
      onLossy: () => {},
      onDrain: () => {},
      onClose: () => {},
    });
    return ended;
  };
  const first = channelPair();
  t.same(accept(first.server), []);
  client.links.attach(first.client, true);
  await openedAt(t, client.links.find(first.client.peerId));
  first.client.close();
  const silent = channelPair();
  client.links.attach(silent.client, true);
  // The peer may not have received it.
  silent.client.close();
  for (const expected of [[42], []]) {
    const next = channelPair();
    const ended = accept(next.server);
    client.links.attach(next.client, true);
    await client.links.services(next.client.peerId);
    t.same(ended, expected);
    next.client.close();
  }
});

t.test('all links are closed together', async (t) => {
  const { client, serverId } = pair();
  client.links.close('shutting-down');
  t.equal(client.links.find(serverId), undefined);
});
