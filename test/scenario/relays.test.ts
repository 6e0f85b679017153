/** Whole stacks that cannot reach each other by UDP meet at TCP relays. */
import t from 'tap';
import { BOOTSTRAP_INFO_REQUEST, decodeBootstrapInfo } from '../support/bootstrap-info.js';
import { at } from '../support/nodes.js';
import { acceptAll, type Peer, World } from '../support/world.js';

const HELLO = Buffer.from('hi\0');
const packet = (text: string): Buffer => Buffer.concat([Buffer.from([0xa2]), Buffer.from(text)]);
/** A guard against never, ms of simulated time. */
const LONG = 60_000;
const RELAY_PORT = 33445;

const relayNode = (world: World): Promise<Peer> => world.peer({ role: 'node', relayPort: RELAY_PORT });

t.test('two peers without UDP connect through the one relay of the one node that they know', async (t) => {
  const world = new World(1);
  const node = await relayNode(world);
  const server = (await world.peer({ udp: false })).join(node);
  const { friends, received } = acceptAll(server);
  t.ok(await world.until(() => server.tox.isOnline, LONG), 'the server is announced');
  const client = (await world.peer({ udp: false })).join(node);
  const friend = client.tox.addFriend(server.tox.id, HELLO);
  const took = await world.until(() => friend.isOnline && friends[0]?.isOnline === true, LONG);
  t.ok(took !== undefined && took < 500, `online on both sides, after ${took} ms: not by a timeout`);
  t.ok(friend.sendLossless(packet('first')));
  t.ok(await world.until(() => received.length === 1, LONG));
  t.same(received[0], packet('first'));
});

t.test('a firewall that drops all UDP is detected', async (t) => {
  const world = new World(2);
  const nodes = await Promise.all([1, 2, 3, 4].map(() => relayNode(world)));
  for (const node of nodes.slice(1)) node.join(nodes[0] as Peer);
  const server = await world.peer();
  const client = await world.peer();
  for (const peer of [server, client]) {
    world.network.blackHoles.add(peer.address);
    for (const node of nodes) peer.join(node);
  }
  const { friends } = acceptAll(server);
  const friend = client.tox.addFriend(server.tox.id, HELLO);
  const took = await world.until(() => friend.isOnline && friends[0]?.isOnline === true, LONG);
  t.ok(took !== undefined, `online on both sides, after ${took} ms`);
});

t.test('a peer without UDP and one with UDP can reach each other', async (t) => {
  for (const udp of [true, false]) {
    const world = new World(udp ? 3 : 4);
    const nodes = await Promise.all([1, 2].map(() => relayNode(world)));
    for (const node of nodes.slice(1)) node.join(nodes[0] as Peer);
    const server = await world.peer({ udp });
    const client = await world.peer({ udp: !udp });
    for (const peer of [server, client]) for (const node of nodes) peer.join(node);
    acceptAll(server);
    const friend = client.tox.addFriend(server.tox.id, HELLO);
    const took = await world.until(() => friend.isOnline, LONG);
    t.ok(took !== undefined, `online after ${took} ms, the server ${udp ? 'with' : 'without'} UDP`);
  }
});

t.test('a client without UDP reaches a server at its own relay', async (t) => {
  const world = new World(5);
  const node = await world.peer({ role: 'node', relayPort: RELAY_PORT });
  const server = (await world.peer({ relayPort: 4000 })).join(node);
  acceptAll(server);
  t.ok(await world.until(() => server.tox.isOnline, LONG));
  const client = (await world.peer({ udp: false })).join(node);
  const friend = client.tox.addFriend(server.tox.id, HELLO);
  t.ok(await world.until(() => friend.isOnline, LONG));
});

t.test('a peer with a public relay of its own is used directly from the start, in either role', async (t) => {
  for (const isServer of [true, false]) {
    const world = new World(isServer ? 9 : 10);
    const node = await relayNode(world);
    const [open, blocked] = [{ relayPort: 4000 }, { udp: false }];
    const server = (await world.peer(isServer ? open : blocked)).join(node);
    const { friends, received } = acceptAll(server);
    t.ok(await world.until(() => server.tox.isOnline, LONG));
    const client = (await world.peer(isServer ? blocked : open)).join(node);
    const friend = client.tox.addFriend(server.tox.id, HELLO);
    t.ok(await world.until(() => friend.isOnline && friends[0]?.isOnline === true, LONG));
    await world.until(() => false, 100);
    world.network.blackHoles.add(node.address);
    world.streams.blackHoles.add(node.address);
    t.ok(friend.sendLossless(packet('straight')));
    const took = await world.until(() => received.length === 1, LONG);
    t.ok(took !== undefined && took < 100, `the node is not missed when the ${isServer ? 'server' : 'client'} is open`);
  }
});

t.test('a client without UDP uses the relay of its server directly, whatever other relays there are', async (t) => {
  const world = new World(9);
  const nodes = await Promise.all([1, 2, 3, 4].map(() => relayNode(world)));
  for (const node of nodes.slice(1)) node.join(nodes[0] as Peer);
  const server = await world.peer({ relayPort: 4000 });
  const client = await world.peer({ udp: false });
  for (const peer of [server, client]) for (const node of nodes) peer.join(node);
  const { received } = acceptAll(server);
  t.ok(await world.until(() => server.tox.isOnline, LONG));
  const friend = client.tox.addFriend(server.tox.id, HELLO);
  t.ok(await world.until(() => friend.isOnline, LONG));
  await world.until(() => false, 5_000);
  // Nothing else stands between them now.
  for (const node of nodes) {
    world.streams.blackHoles.add(node.address);
    world.network.blackHoles.add(node.address);
  }
  for (let count = 0; count < 20; count += 1) {
    t.ok(friend.sendLossless(packet(`${count}`)));
    t.ok(await world.until(() => received.length === count + 1, 100), 'by the next packet, not by a timeout');
  }
  await world.until(() => false, 60_000);
  t.ok(friend.isOnline, 'permanently');
});

t.test(
  'a server whose relay is unreachable is reached through other relays, and is not dialled again and again',
  async (t) => {
    const world = new World(10);
    const node = await relayNode(world);
    const server = (await world.peer({ relayPort: 4000 })).join(node);
    const client = (await world.peer({ udp: false })).join(node);
    const { received } = acceptAll(server);
    t.ok(await world.until(() => server.tox.isOnline, LONG));
    // Outgoing connections work; incoming ones do not.
    world.streams.blackHoles.add(`${server.address}:4000`);
    const friend = client.tox.addFriend(server.tox.id, HELLO);
    t.ok(await world.until(() => friend.isOnline, LONG));
    const before = world.streams.dialled;
    await world.until(() => false, 60_000);
    t.ok(friend.sendLossless(packet('over the node')));
    t.ok(await world.until(() => received.length === 1, LONG));
    t.ok(world.streams.dialled - before < 20, `${world.streams.dialled - before} attempts in a minute`);
  },
);

t.test(
  'when UDP fails during a transfer, a relay takes over, then UDP again when it works; no byte is lost',
  async (t) => {
    const world = new World(6);
    const node = await relayNode(world);
    const [server, client] = [(await world.peer()).join(node), (await world.peer()).join(node)];
    const { friends, received } = acceptAll(server);
    const friend = client.tox.addFriend(server.tox.id, HELLO);
    t.ok(await world.until(() => friend.isOnline && friends[0]?.isOnline === true, LONG));
    t.not(await world.until(() => friend.facts.path.kind === 'direct', LONG), undefined, 'by UDP');
    let sent = 0;
    const sendFor = async (duration: number): Promise<void> => {
      for (let passed = 0; passed < duration; passed += 100) {
        for (let count = 0; count < 3 && friend.sendLossless(packet(String(sent))); count += 1) sent += 1;
        await world.until(() => false, 100);
      }
    };
    await sendFor(30_000);
    world.network.blackHoles.add(client.address);
    await sendFor(10_000);
    t.equal(friend.facts.path.kind, 'relayed');
    t.ok(received.length > sent - 10, `${received.length} of ${sent} have arrived`);
    world.network.blackHoles.delete(client.address);
    await sendFor(10_000);
    t.equal(friend.facts.path.kind, 'direct', 'again');
    t.not(await world.until(() => received.length === sent, LONG), undefined, 'all have arrived');
    t.strictSame(
      received.map((bytes) => Number(bytes.subarray(1))),
      Array.from({ length: sent }, (_, index) => index),
      'in order, once each',
    );
  },
);

t.test('a relay that stops is replaced by another one', async (t) => {
  const world = new World(7);
  const nodes = await Promise.all([1, 2, 3].map(() => relayNode(world)));
  for (const node of nodes.slice(1)) node.join(nodes[0] as Peer);
  const [server, client] = [await world.peer({ udp: false }), await world.peer({ udp: false })];
  for (const peer of [server, client]) for (const node of nodes) peer.join(node);
  const { received } = acceptAll(server);
  const friend = client.tox.addFriend(server.tox.id, HELLO);
  t.ok(await world.until(() => friend.isOnline, LONG));
  await world.until(() => false, 5_000);
  for (const [index, node] of nodes.slice(0, 2).entries()) {
    world.streams.blackHoles.add(node.address);
    world.streams.reset(node.address);
    await world.until(() => false, 1_000);
    t.ok(friend.sendLossless(packet(`after ${index}`)));
    t.ok(await world.until(() => received.length === index + 1, LONG), `without ${index + 1} of 3`);
  }
});

t.test('stop leaves neither a connection nor a timer behind', async (t) => {
  const world = new World(8);
  const node = await relayNode(world);
  const peer = (await world.peer({ udp: false, relayPort: 4000 })).join(node);
  t.ok(await world.until(() => peer.tox.isOnline, LONG));
  for (const { tox } of [peer, node]) {
    const stopped = tox.stop();
    world.clock.advance(10);
    await stopped;
  }
  world.clock.advance(10);
  t.equal(world.streams.connections, 0);
  t.equal(world.clock.pending, 0);
});

t.test('a relay that reads nothing stops the application, and the queue stays bounded', async (t) => {
  const world = new World(7);
  const node = await relayNode(world);
  const server = (await world.peer({ udp: false })).join(node);
  const client = (await world.peer({ udp: false })).join(node);
  const { friends, received } = acceptAll(server);
  t.ok(await world.until(() => server.tox.isOnline, LONG));
  const friend = client.tox.addFriend(server.tox.id, HELLO);
  t.ok(await world.until(() => friend.isOnline && friends[0]?.isOnline === true, LONG));
  let sent = 0;
  let drains = 0;
  const numbered = (number: number): Buffer => packet(`${number} `.padEnd(1300, '.'));
  const fill = (): void => {
    while (friend.sendLossless(numbered(sent))) sent += 1;
  };
  world.streams.stalled.add(node.address);
  for (let round = 0; round < 20; round += 1) {
    fill();
    world.clock.advance(50);
  }
  const most = sent;
  fill();
  t.equal(sent, most, 'refused as long as nothing moves');
  t.ok(sent > 0 && sent * 1300 < 1024 * 1024, `${sent} packets taken`);
  friend.onDrain(() => {
    drains += 1;
  });
  world.streams.resume(node.address);
  t.ok(await world.until(() => received.length === sent && drains > 0, LONG), 'then it goes on, and says so');
  t.ok(
    received.every((data, at) => data.equals(numbered(at))),
    'whole and in order',
  );
});

t.test('a node answers bootstrap info requests, a client does not', async (t) => {
  const world = new World(9);
  const [node, client] = [await world.peer({ role: 'node' }), await world.peer()];
  const answers: unknown[] = [];
  const socket = world.network.socket('8.8.8.8', 1, (packet) => answers.push(decodeBootstrapInfo(packet)));
  for (const peer of [node, client]) socket.send(BOOTSTRAP_INFO_REQUEST, at(peer.address, peer.port));
  await world.until(() => false, 1000);
  t.same(answers, [{ version: 1_000_002_018, motd: 'tuntox' }]);
});
