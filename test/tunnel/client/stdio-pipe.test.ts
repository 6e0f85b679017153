import { PassThrough, Writable } from 'node:stream';
import t from 'tap';
import { openStdioPipe } from '../../../src/tunnel/client/stdio-pipe.js';
import { channelPair } from '../support/channel-pair.js';
import { UpstreamPeer } from '../support/upstream-peer.js';
import { until, World } from '../support/world.js';

t.test('standard input and output carry all bytes in both directions', async (t) => {
  const world = new World(t);
  const channels = channelPair({ seed: 4, refusals: 0.1 });
  const client = world.service();
  client.attach(channels.client);
  world.service().attach(channels.server);
  const port = await world.target((socket) => {
    const received: Buffer[] = [];
    socket.on('data', (data: Buffer) => received.push(data)).once('end', () => socket.end(Buffer.concat(received)));
  });
  const stdin = new PassThrough();
  const received: Buffer[] = [];
  const stdout = new Writable({
    write: (data: Buffer, _encoding, done) => {
      received.push(Buffer.from(data));
      done();
    },
  });
  const bytes = world.random.bytes(200_000);
  stdin.end(bytes);
  await openStdioPipe(client.opener(channels.client.peerId), { host: '127.0.0.1', port }, { stdin, stdout });
  t.ok(Buffer.concat(received).equals(bytes));
});

t.test('a pipe to a refused target fails with the reason', async (t) => {
  const world = new World(t);
  const channels = channelPair();
  const client = world.service();
  client.attach(channels.client);
  world.service().attach(channels.server);
  const streams = { stdin: new PassThrough(), stdout: new PassThrough() };
  const opener = client.opener(channels.client.peerId);
  await t.rejects(openStdioPipe(opener, { host: '127.0.0.1', port: 1 }, streams), { code: 'connection-refused' });
  const lost = openStdioPipe(opener, { host: '127.0.0.1', port: await world.target(() => {}) }, streams);
  await until(() => client.list().length === 1);
  channels.client.close();
  await t.rejects(lost, { code: 'connection-lost' });
});

t.test('a pipe ends when an upstream server ends it, even if its input is still open', async (t) => {
  const world = new World(t);
  const channels = channelPair();
  const client = world.service();
  client.attach(channels.client);
  new UpstreamPeer(channels.server, 'server', world.random);
  const port = await world.target((socket) => void socket.end('bye'));
  const [stdin, stdout] = [new PassThrough(), new PassThrough()];
  const received: Buffer[] = [];
  stdout.on('data', (data: Buffer) => received.push(data));
  const done = openStdioPipe(client.opener(channels.client.peerId), { host: '127.0.0.1', port }, { stdin, stdout });
  let isDone = false;
  void done.then(() => {
    isDone = true;
  });
  await until(() => {
    world.clock.advance(0);
    return isDone;
  });
  t.equal(Buffer.concat(received).toString(), 'bye');
});
