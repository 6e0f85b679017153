import t from 'tap';
import { decodeFrame, PING, REQUEST_TUNNEL } from '../../../src/tunnel/wire/frame.js';
import { ManualClock } from '../../support/manual-clock.js';
import { FakeFriend, type FakeStack } from '../support/fake-stacks.js';
import { absentId, SECRET, settle, startPeer, startServer } from '../support/peers.js';

t.test('a connection that waits is admitted as soon as it uses the right secret', async (t) => {
  const network = new Map<string, FakeStack>();
  const server = await startServer(t, network, { secret: SECRET });
  const client = await startPeer(network);
  t.teardown(() => client.engine.stop());
  const remote = client.engine.connect(server.engine.id, Buffer.from('canary guess'));
  const changes: boolean[] = [];
  remote.onChange((isOnline) => changes.push(isOnline));
  await settle();
  t.notOk(remote.isOnline);
  t.equal(remote.reason.code, 'no-network');
  remote.useSecrets([Buffer.from('canary guess'), SECRET]);
  await settle();
  t.ok(remote.isOnline);
  t.equal(remote.facts.path.kind, 'direct');
  t.same(changes, [true]);
  remote.useSecrets([Buffer.from('canary guess')]);
  t.ok(remote.isOnline, 'a connected server needs none');
});

t.test('leaving a server ends its connection alone', async (t) => {
  const network = new Map<string, FakeStack>();
  const first = await startServer(t, network, { secret: SECRET });
  const second = await startServer(t, network, { secret: SECRET });
  const client = await startPeer(network);
  t.teardown(() => client.engine.stop());
  const remotes = [first, second].map(({ engine }) => client.engine.connect(engine.id, SECRET));
  await settle();
  remotes[0]?.leave();
  await settle();
  t.same(
    remotes.map((remote) => remote.isOnline),
    [false, true],
  );
  t.notMatch(client.warned, [/lost the connection/]);
  t.equal(first.tox.friends.get(client.engine.id.publicKey.hex)?.isOnline ?? false, false);
});

t.test('a client tells each step to its server, and what goes wrong', async (t) => {
  const network = new Map<string, FakeStack>();
  const clock = new ManualClock();
  const client = await startPeer(network, { clock });
  t.teardown(() => client.engine.stop());
  const retry = { timeout: 15_000, maxRetries: 0 };
  const remote = client.engine.connect(absentId(), SECRET, { retry });
  const friend = [...client.tox.friends.values()][0] as FakeFriend;
  const told: string[] = [];
  remote.watch((event) => told.push('code' in event ? `${event.event} ${event.code}` : event.event));
  friend.become('searching');
  friend.become('searching');
  client.tox.isOnline = true;
  friend.standing = { kind: 'found', since: 0 };
  friend.become('asking');
  clock.advance(10_000);
  t.same(told.splice(0), ['bootstrapping', 'searching', 'asking', 'refused not-admitted']);
  friend.setOnline(true);
  friend.setOnline(false);
  friend.standing = { kind: 'sought' };
  clock.advance(15_000);
  t.same(told, ['connected', 'disconnected', 'searching', 'waiting not-found', 'error not-found']);
  await t.rejects(remote.givenUp, { code: 'not-found' });
});

t.test('a client whose server ends and does not come back stops searching, and says why', async (t) => {
  const network = new Map<string, FakeStack>();
  const server = await startServer(t, network, { secret: SECRET });
  const client = await startPeer(network);
  t.teardown(() => client.engine.stop());
  const remote = client.engine.connect(server.engine.id, SECRET);
  await remote.online;
  await settle();
  const told: string[] = [];
  remote.watch((event) => told.push('code' in event ? `${event.event} ${event.code}` : event.event));
  await server.engine.tunnels.tellEnd('share-ended');
  await t.rejects(remote.givenUp, {
    code: 'share-ended',
    message: /has ended its share: ask its owner for a new link/,
  });
  t.same(told, ['connected', 'error share-ended']);
  t.equal(client.tox.friends.size, 0, 'nothing is searched for');
});

t.test('requests go with the handshake, and again with the next one if the server does not come online', async (t) => {
  const client = await startPeer(new Map<string, FakeStack>());
  t.teardown(() => client.engine.stop());
  const remote = client.engine.connect(absentId(), SECRET);
  const friend = [...client.tox.friends.values()][0] as FakeFriend;
  const received: (number | undefined)[] = [];
  friend.other = new FakeFriend(client.engine.id.publicKey);
  friend.other.isOnline = true;
  friend.other.onLossless((packet) => received.push(decodeFrame(packet)?.type));
  const refused: string[] = [];
  const onAccepted = (): never => t.fail('accepted') as never;
  remote.open({ host: '127.0.0.1', port: 22 }, { onAccepted, onRefused: (reason) => refused.push(reason) });
  for (const _ of [1, 2]) {
    friend.becomeWritable();
    await settle();
    t.same(received.splice(0), [PING, REQUEST_TUNNEL]);
    t.notOk(remote.isOnline);
    friend.fail();
  }
  t.same(refused, []);
  t.notMatch(client.said, [/lost the connection/]);
  friend.becomeWritable();
  friend.setOnline(true);
  await settle();
  t.same(received, [PING, REQUEST_TUNNEL], 'once for a session');
  t.ok(remote.isOnline);
});
