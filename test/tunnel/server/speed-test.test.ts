/** The built-in source and sink of a server, over a channel between our peers. */
import { Readable, Writable } from 'node:stream';
import t from 'tap';
import { SPEED_SINK, SPEED_SOURCE } from '../../../src/base/speed-test.js';
import { openStdioPipe } from '../../../src/tunnel/client/stdio-pipe.js';
import { channelPair } from '../support/channel-pair.js';
import { UpstreamPeer } from '../support/upstream-peer.js';
import { until, World } from '../support/world.js';

function pairOf(world: World, isAllowed = true) {
  const channels = channelPair();
  const client = world.service();
  const server = world.service(() => (isAllowed ? { allowed: true } : { allowed: false, reason: 'off' }));
  client.attach(channels.client);
  server.attach(channels.server);
  return { client, server, opener: client.opener(channels.client.peerId) };
}

function receiver() {
  const received: Buffer[] = [];
  const stdout = new Writable({
    write: (bytes: Buffer, _encoding, done) => {
      received.push(bytes);
      done();
    },
  });
  return { received, stdout, bytes: () => received.reduce((sum, { length }) => sum + length, 0) };
}

t.test('the source sends until the client ends its direction', async (t) => {
  const { server, opener } = pairOf(new World(t));
  const stdin = new Readable({ read: () => {} });
  const { stdout, bytes } = receiver();
  const over = openStdioPipe(opener, SPEED_SOURCE, { stdin, stdout });
  await until(() => bytes() > 1_000_000);
  t.match(server.list(), [{ target: SPEED_SOURCE }], 'its owner sees it');
  stdin.push(null);
  await over;
  await until(() => server.list().length === 0);
});

t.test('the sink counts, and its last report is the number of all bytes', async (t) => {
  const { opener } = pairOf(new World(t));
  const stdin = Readable.from([Buffer.alloc(300_000), Buffer.alloc(45)]);
  const { stdout, received } = receiver();
  await openStdioPipe(opener, SPEED_SINK, { stdin, stdout });
  const reports = Buffer.concat(received);
  t.equal(reports.length % 8, 0);
  t.equal(reports.readBigUInt64BE(reports.length - 8), 300_045n);
});

t.test('a test ends after a minute, whatever the client does', async (t) => {
  const world = new World(t);
  const { server, opener } = pairOf(world);
  const stdin = new Readable({ read: () => {} });
  const { stdout, bytes } = receiver();
  const over = openStdioPipe(opener, SPEED_SOURCE, { stdin, stdout });
  await until(() => bytes() > 100_000);
  world.clock.advance(60_000);
  const end = new Promise((resolve) => stdout.once('finish', resolve));
  await end;
  stdin.push(null);
  await over;
  await until(() => server.list().length === 0);
});

t.test('an owner can refuse it, and an original tuntox is not asked', async (t) => {
  const world = new World(t);
  const { opener } = pairOf(world, false);
  const streams = () => ({ stdin: new Readable({ read: () => {} }), stdout: receiver().stdout });
  await t.rejects(openStdioPipe(opener, SPEED_SINK, streams()), { code: 'not-allowed' });
  const channels = channelPair();
  new UpstreamPeer(channels.server, 'server', world.random);
  const client = world.service();
  client.attach(channels.client);
  const other = openStdioPipe(client.opener(channels.client.peerId), SPEED_SOURCE, streams());
  await t.rejects(other, { code: 'no-services' });
});
