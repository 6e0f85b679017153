/** Two whole stacks find each other through the DHT and the onion, shake hands and exchange packets. */
import t from 'tap';
import { generateKeyPair } from '../../src/tox/crypto/key-pair.js';
import { ToxId } from '../../src/tox/crypto/tox-id.js';
import type { Friend } from '../../src/tox/messenger.js';
import { acceptAll, type Peer, World } from '../support/world.js';

const HELLO = Buffer.from('hi\0');
const packet = (text: string): Buffer => Buffer.concat([Buffer.from([0xa2]), Buffer.from(text)]);
/** A guard against never, ms of simulated time. */
const LONG = 60_000;

t.test('a client that knows one bootstrap node and a Tox ID connects to its friend', async (t) => {
  const world = new World(1);
  const [node, server] = (await world.peers(2)) as [Peer, Peer];
  const { friends, received } = acceptAll(server);
  t.ok(await world.until(() => server.tox.isOnline, LONG), 'the server is announced');
  const client = (await world.peer()).join(node);
  const friend = client.tox.addFriend(server.tox.id, HELLO);
  const took = await world.until(() => friend.isOnline && friends[0]?.isOnline === true, LONG);
  t.ok(took !== undefined, `online on both sides, after ${took} ms`);
  t.ok(friend.sendLossless(packet('first')));
  t.ok(await world.until(() => received.length === 1, LONG));
  t.same(received[0], packet('first'));
});

t.test('the server itself can be the only node of the network', async (t) => {
  const world = new World(2);
  const server = await world.peer();
  acceptAll(server);
  const client = (await world.peer()).join(server);
  const friend = client.tox.addFriend(server.tox.id, HELLO);
  t.ok(await world.until(() => friend.isOnline, LONG));
});

t.test('a fifth of all datagrams can be lost', async (t) => {
  for (const seed of [3, 4, 5, 6]) {
    const world = new World(seed);
    world.network.faults.loss = 0.2;
    const [node, server] = (await world.peers(4)) as [Peer, Peer];
    acceptAll(server);
    const client = (await world.peer()).join(node);
    const friend = client.tox.addFriend(server.tox.id, HELLO);
    const took = await world.until(() => friend.isOnline, LONG);
    t.ok(took !== undefined, `online after ${took} ms`);
  }
});

t.test('nine of ten bootstrap nodes can be silent', async (t) => {
  const world = new World(7);
  const nodes = await world.peers(10);
  for (const node of nodes.slice(1)) world.network.blackHoles.add(node.address);
  const server = await world.peer();
  const client = await world.peer();
  for (const node of nodes) {
    server.join(node);
    client.join(node);
  }
  acceptAll(server);
  const friend = client.tox.addFriend(server.tox.id, HELLO);
  const took = await world.until(() => friend.isOnline, LONG);
  t.ok(took !== undefined, `online after ${took} ms`);
});

t.test('IPv6 alone is enough', async (t) => {
  const world = new World(8);
  const server = await world.peer({ address: '2001:db8::1' });
  const client = (await world.peer({ address: '2001:db8::2' })).join(server);
  acceptAll(server);
  const friend = client.tox.addFriend(server.tox.id, HELLO);
  t.ok(await world.until(() => friend.isOnline, LONG));
});

t.test('a request with a wrong nospam reaches no one', async (t) => {
  const world = new World(9);
  const [node, server] = (await world.peers(2)) as [Peer, Peer];
  const { friends } = acceptAll(server);
  const client = (await world.peer()).join(node);
  const { ToxId } = await import('../../src/tox/crypto/tox-id.js');
  const friend = client.tox.addFriend(new ToxId(server.tox.publicKey, Buffer.alloc(4)), HELLO);
  t.equal(await world.until(() => friend.isOnline, 20_000), undefined);
  t.equal(friends.length, 0);
});

t.test('a friend that closes its session is offline at once', async (t) => {
  const world = new World(10);
  const [node, server] = (await world.peers(2)) as [Peer, Peer];
  const { friends } = acceptAll(server);
  const client = (await world.peer()).join(node);
  const friend = client.tox.addFriend(server.tox.id, HELLO);
  await world.until(() => friend.isOnline && friends[0]?.isOnline === true, LONG);
  void client.tox.stop();
  const took = await world.until(() => friends[0]?.isOnline === false, 1_000);
  t.ok(took !== undefined && took < 100, 'not by a timeout');
});

t.test('a client that was killed and runs again with its identity replaces its dead session', async (t) => {
  const world = new World(11);
  const [node, server] = (await world.peers(3)) as [Peer, Peer];
  const { received } = acceptAll(server);
  const first = (await world.peer()).join(node);
  const before = first.tox.addFriend(server.tox.id, HELLO);
  t.ok(await world.until(() => before.isOnline, LONG));
  world.network.blackHoles.add(first.address);
  const second = (await world.peer({ savedata: first.savedata })).join(node);
  const after = second.tox.addFriend(server.tox.id, HELLO);
  const took = await world.until(() => after.isOnline, LONG);
  t.ok(took !== undefined, `online again after ${took} ms`);
  t.ok(after.sendLossless(packet('again')));
  t.ok(await world.until(() => received.some((bytes) => bytes.equals(packet('again'))), LONG));
});

t.test('a server that was killed, and forgot its friends, is reached again after its restart', async (t) => {
  const world = new World(12);
  const [node, server] = (await world.peers(3)) as [Peer, Peer];
  acceptAll(server);
  const client = (await world.peer()).join(node);
  const friend = client.tox.addFriend(server.tox.id, HELLO);
  t.ok(await world.until(() => friend.isOnline, LONG));
  world.network.blackHoles.add(server.address);
  t.ok(await world.until(() => !friend.isOnline, LONG), 'the silence is noticed');
  const again = (await world.peer({ savedata: server.savedata })).join(node);
  acceptAll(again);
  const took = await world.until(() => friend.isOnline, 5 * LONG);
  t.ok(took !== undefined, `online again after ${took} ms`);
});

t.test('a server that was killed and runs again at once is reached before its silence is noticed', async (t) => {
  const world = new World(14);
  const [node, server] = (await world.peers(3)) as [Peer, Peer];
  acceptAll(server);
  const client = (await world.peer()).join(node);
  const friend = client.tox.addFriend(server.tox.id, HELLO);
  t.ok(await world.until(() => friend.isOnline, LONG));
  world.clock.advance(20_000);
  world.network.blackHoles.add(server.address);
  const again = (await world.peer({ savedata: server.savedata })).join(node);
  const { friends, received } = acceptAll(again);
  const took = await world.until(() => friends[0]?.isOnline === true && friend.isOnline, LONG);
  t.ok(took !== undefined && took < 25_000, `online again after ${took} ms`);
  friend.sendLossless(packet('again'));
  t.ok(await world.until(() => received.length === 1, LONG));
});

t.test('clients that connect for a moment and vanish keep no other client from the server', async (t) => {
  const world = new World(16);
  const [node, server] = (await world.peers(3)) as [Peer, Peer];
  acceptAll(server);
  world.clock.advance(300_000);
  const times: number[] = [];
  for (let visit = 0; visit < 20; visit += 1) {
    const client = (await world.peer()).join(node);
    const friend = client.tox.addFriend(server.tox.id, HELLO);
    times.push((await world.until(() => friend.isOnline, LONG)) ?? Number.POSITIVE_INFINITY);
    world.network.blackHoles.add(client.address);
    void client.tox.stop();
    await world.settle();
    world.clock.advance(20_000);
  }
  t.ok(
    times.every((took) => took < 2_000),
    `${times.join(', ')} ms`,
  );
});

t.test('a path that is cut for a minute is used again when it is back', async (t) => {
  const world = new World(13);
  const [node, server] = (await world.peers(3)) as [Peer, Peer];
  acceptAll(server);
  const client = (await world.peer()).join(node);
  const friend = client.tox.addFriend(server.tox.id, HELLO);
  t.ok(await world.until(() => friend.isOnline, LONG));
  world.network.blackHoles.add(client.address);
  world.clock.advance(60_000);
  t.notOk(friend.isOnline);
  world.network.blackHoles.delete(client.address);
  const took = await world.until(() => friend.isOnline, 5 * LONG);
  t.ok(took !== undefined, `online again after ${took} ms`);
});

t.test('a friend that is not accepted learns only that we are there; one that is accepted is answered', async (t) => {
  const world = new World(81);
  const [server, client, , stranger] = (await world.peers(4)) as [Peer, Peer, Peer, Peer];
  let isOpen = false;
  server.tox.onFriendRequest((request) => {
    if (isOpen) request.accept();
  });
  const friend = client.tox.addFriend(server.tox.id, Buffer.from('hi'));
  t.equal(friend.standing.kind, 'sought');
  t.not(await world.until(() => friend.standing.kind === 'found', 30_000), undefined);
  await world.until(() => false, 120_000);
  t.equal(friend.standing.kind, 'found', 'for as long as nobody answers');
  isOpen = true;
  friend.seek();
  t.ok(((await world.until(() => friend.isOnline, 60_000)) ?? 60_000) < 10_000, 'the new search is quick');
  t.equal(friend.standing.kind, 'answering');

  const nobody = stranger.tox.addFriend(
    new ToxId(generateKeyPair(world.random).publicKey, Buffer.alloc(4)),
    Buffer.from('hi'),
  );
  await world.until(() => false, 60_000);
  t.equal(nobody.standing.kind, 'sought', 'whom no node knows');
});

t.test('a friend that removed us is online again, and does not answer', async (t) => {
  const world = new World(82);
  const [server, client] = (await world.peers(4)) as [Peer, Peer];
  let isOpen = true;
  const ours: Friend[] = [];
  server.tox.onFriendRequest((request) => {
    if (isOpen) ours.push(request.accept());
  });
  const friend = client.tox.addFriend(server.tox.id, Buffer.from('hi'));
  t.not(await world.until(() => friend.isOnline, 60_000), undefined);
  isOpen = false;
  server.tox.removeFriend(ours[0] as Friend);
  t.not(await world.until(() => !friend.isOnline, 60_000), undefined);
  t.not(await world.until(() => friend.standing.kind === 'found', 60_000), undefined);
  await world.until(() => false, 60_000);
  t.equal(friend.standing.kind, 'found');
  t.notOk(friend.isOnline);
});
