/** Whole stacks report the truth about their connections: path, reason, start and rates. */
import t from 'tap';
import type { ConnectionPath } from '../../src/tox/connection-facts.js';
import type { Friend } from '../../src/tox/messenger.js';
import { acceptAll, type Peer, World } from '../support/world.js';

const HELLO = Buffer.from('hi\0');
const packet = (text: string): Buffer => Buffer.concat([Buffer.from([0xa2]), Buffer.from(text)]);
/** A guard against never, ms of simulated time. */
const LONG = 60_000;
const RELAY_PORT = 33445;

interface Pair {
  readonly nodes: readonly Peer[];
  readonly server: Peer;
  readonly client: Peer;
  /** The server as the client sees it, and the other way round. */
  readonly toServer: Friend;
  readonly toClient: () => Friend;
}

/** A server and a client in a network of some nodes that are relays, before they have met. */
async function pairIn(
  world: World,
  options: { readonly serverUdp?: boolean; readonly clientUdp?: boolean; readonly nodes?: number } = {},
): Promise<Pair> {
  const nodes: Peer[] = [];
  for (let count = 0; count < (options.nodes ?? 3); count += 1) {
    nodes.push(await world.peer({ role: 'node', relayPort: RELAY_PORT }));
  }
  for (const node of nodes.slice(1)) node.join(nodes[0] as Peer);
  const server = await world.peer({ udp: options.serverUdp ?? true });
  const client = await world.peer({ udp: options.clientUdp ?? true });
  for (const peer of [server, client]) for (const node of nodes) peer.join(node);
  const { friends } = acceptAll(server);
  const toServer = client.tox.addFriend(server.tox.id, HELLO);
  return { nodes, server, client, toServer, toClient: () => friends[0] as Friend };
}

const isMet = ({ toServer, toClient }: Pair): boolean => toServer.isOnline && toClient()?.isOnline === true;

/** The reason of a relayed path, or else its kind. */
const reasonOf = ({ facts: { path } }: Friend): string => (path.kind === 'relayed' ? path.reason : path.kind);

/** All reports about each friend during this time, each once, in order. */
async function saidWithin(world: World, duration: number, ...friends: readonly Friend[]): Promise<string[][]> {
  const said: string[][] = friends.map(() => []);
  for (let passed = 0; passed < duration; passed += 250) {
    for (const [index, friend] of friends.entries()) {
      const reason = reasonOf(friend);
      if (said[index]?.at(-1) !== reason) said[index]?.push(reason);
    }
    await world.until(() => false, 250);
  }
  return said;
}

t.test('if a firewall drops our UDP, it is blocked, and the other side sees a peer with only TCP', async (t) => {
  const world = new World(1);
  const pair = await pairIn(world);
  world.network.blackHoles.add(pair.client.address);
  t.not(await world.until(() => isMet(pair), LONG), undefined);
  t.equal(reasonOf(pair.toServer), 'being-tried', 'before it is certain');
  const [ours, theirs] = await saidWithin(world, 60_000, pair.toServer, pair.toClient());
  t.same(ours, ['being-tried', 'udp-blocked']);
  t.same(theirs, ['being-tried', 'peer-tcp-only']);
  t.equal(pair.client.tox.networkFacts.udp, 'udp-blocked');
  t.equal(pair.server.tox.networkFacts.udp, 'works');
});

t.test('both sides behind such firewalls report that', async (t) => {
  const world = new World(2);
  const pair = await pairIn(world);
  for (const { address } of [pair.client, pair.server]) world.network.blackHoles.add(address);
  t.not(await world.until(() => isMet(pair), LONG), undefined);
  await world.until(() => false, 10_000);
  t.same([reasonOf(pair.toServer), reasonOf(pair.toClient())], ['udp-blocked', 'udp-blocked']);
});

t.test('a peer with UDP turned off reports that, and the other side sees a peer with only TCP', async (t) => {
  const world = new World(3);
  const pair = await pairIn(world, { serverUdp: false });
  t.not(await world.until(() => isMet(pair), LONG), undefined);
  await world.until(() => false, 10_000);
  t.same([reasonOf(pair.toServer), reasonOf(pair.toClient())], ['peer-tcp-only', 'udp-off']);
  t.equal(pair.server.tox.networkFacts.udp, 'udp-off');
});

t.test('if both have UDP and no packet passes between them, punching has failed, until it succeeds', async (t) => {
  const world = new World(4);
  const pair = await pairIn(world);
  const between = new Set([pair.client.address, pair.server.address]);
  world.network.filter = (_packet, from, to) => !(between.has(from.address) && between.has(to.address));
  t.not(await world.until(() => isMet(pair), LONG), undefined);
  const [ours, theirs] = await saidWithin(world, 100_000, pair.toServer, pair.toClient());
  t.same(ours, ['being-tried', 'punching-failed']);
  t.same(theirs, ['being-tried', 'punching-failed']);
  world.network.filter = undefined;
  t.not(await world.until(() => reasonOf(pair.toServer) === 'direct', LONG), undefined);
  t.not(await world.until(() => reasonOf(pair.toClient()) === 'direct', LONG), undefined);
});

t.test('UDP fails while it is in use, and works again', async (t) => {
  const world = new World(5);
  const pair = await pairIn(world);
  t.not(await world.until(() => isMet(pair) && reasonOf(pair.toServer) === 'direct', LONG), undefined);
  await world.until(() => false, 200_000);
  t.match(pair.toServer.facts.path, { kind: 'direct', endpoint: `${pair.server.address}:33445` });
  const before = pair.toServer.facts.path;
  t.ok(before.age >= 200_000 && before.age < 260_000, `direct for ${before.age} ms`);

  world.network.blackHoles.add(pair.client.address);
  t.not(await world.until(() => pair.toServer.facts.path.kind === 'relayed', LONG), undefined);
  const relayed = pair.toServer.facts.path as Extract<ConnectionPath, { kind: 'relayed' }>;
  const relays = pair.nodes.map(({ tox, address }) => ({
    publicKey: tox.dhtPublicKey.hex,
    endpoint: `${address}:${RELAY_PORT}`,
  }));
  t.ok(
    relays.some((relay) => relay.publicKey === relayed.relay?.publicKey && relay.endpoint === relayed.relay.endpoint),
  );
  t.ok(relayed.age < 1_000, 'since just now');
  t.ok(relayed.since >= before.since + 200, 'by the clock of the wall as well');
  t.same(await saidWithin(world, 60_000, pair.toServer), [['being-tried', 'udp-blocked']]);

  world.network.blackHoles.delete(pair.client.address);
  t.not(await world.until(() => pair.toServer.facts.path.kind === 'direct', LONG), undefined);
});

t.test('without a connection, the stage is reported, and why the last attempt or connection failed', async (t) => {
  const world = new World(6);
  const lonely = await world.peer();
  const { facts } = lonely.tox.addFriend((await world.peer()).tox.id, HELLO);
  t.match(facts.path, { kind: 'none', reason: 'no-network' });
  t.equal(facts.lastError, undefined);

  const pair = await pairIn(world);
  t.not(await world.until(() => isMet(pair), LONG), undefined);
  const stopped = pair.server.tox.stop();
  world.clock.advance(10);
  await stopped;
  world.clock.advance(10);
  t.match(pair.toServer.facts, {
    path: { kind: 'none', reason: 'connecting' },
    lastError: { text: 'closed by the other side' },
    rtt: undefined,
    sent: { rate: 0 },
  });
  t.ok(pair.toServer.facts.received.bytes > 0, 'of the connection that has ended');
  await world.until(() => false, 20_000);
  t.match(pair.toServer.facts.lastError?.text, /^cookie request timed out$/);
  await world.until(() => false, 200_000);
  t.match(pair.toServer.facts.path, { kind: 'none', reason: 'searching' });
});

t.test('a peer that stops answering is reported as silent', async (t) => {
  const world = new World(7);
  const pair = await pairIn(world);
  t.not(await world.until(() => isMet(pair), LONG), undefined);
  world.network.blackHoles.add(pair.server.address);
  world.streams.blackHoles.add(pair.server.address);
  t.not(await world.until(() => !pair.toServer.isOnline, LONG), undefined);
  t.match(pair.toServer.facts.lastError, { text: 'silent for 32 s' });
});

t.test('a relay that fails is reported with its key and address', async (t) => {
  const world = new World(8);
  const pair = await pairIn(world, { clientUdp: false, serverUdp: false });
  t.not(await world.until(() => isMet(pair), LONG), undefined);
  const { path } = pair.toServer.facts;
  const relay = path.kind === 'relayed' ? path.relay : undefined;
  t.ok(relay);
  world.streams.reset(relay?.endpoint.split(':')[0] ?? '');
  await world.until(() => false, 10);
  const { lastError } = pair.toServer.facts;
  t.equal(lastError?.text, `relay ${relay?.publicKey.slice(0, 8)} at ${relay?.endpoint}: ended by the other side`);
});

t.test('round trip and rates are those of the wire, and fall when the traffic ends', async (t) => {
  const world = new World(9);
  world.network.faults.delay = 20;
  world.streams.delay = 20;
  const pair = await pairIn(world, { nodes: 1 });
  t.not(await world.until(() => isMet(pair) && reasonOf(pair.toServer) === 'direct', LONG), undefined);
  for (let count = 0; count < 200; count += 1) {
    t.ok(pair.toServer.sendLossless(packet('x'.repeat(999)))) || t.bailout();
    await world.until(() => false, 50);
  }
  const { rtt, sent, received, retransmissions } = pair.toServer.facts;
  t.ok(rtt !== undefined && rtt >= 40 && rtt < 80, `round trip ${rtt} ms`);
  t.ok(sent.rate > 20_000 && sent.rate < 23_000, `${sent.rate} bytes/s sent`);
  t.ok(sent.bytes > 200_000 && sent.bytes < 230_000);
  t.equal(retransmissions, 0);
  t.ok(received.rate > 0 && received.rate < 3_000, `${received.rate} bytes/s of confirmations`);
  const there = pair.toClient().facts.received;
  t.ok(there.rate > 20_000 && there.rate < 23_000, 'and as much arrives');
  await world.until(() => false, 10_000);
  t.ok(pair.toServer.facts.sent.rate < 1_000, `${pair.toServer.facts.sent.rate} at rest`);
});

t.test('a peer at its own relay is reported as relayed by itself', async (t) => {
  const world = new World(11);
  const node = await world.peer({ role: 'node', relayPort: RELAY_PORT });
  const server = (await world.peer({ relayPort: 4000 })).join(node);
  const client = (await world.peer({ udp: false })).join(node);
  acceptAll(server);
  t.not(await world.until(() => server.tox.isOnline, LONG), undefined);
  const friend = client.tox.addFriend(server.tox.id, HELLO);
  const relay = (): unknown => (friend.facts.path.kind === 'relayed' ? friend.facts.path.relay : undefined);
  t.not(await world.until(() => friend.isOnline, LONG), undefined);
  await world.until(() => false, 5_000);
  t.match(relay(), { owner: 'peer', publicKey: server.tox.dhtPublicKey.hex, endpoint: `${server.address}:4000` });
});

/** Each stage of the way to the server once, in order, from now on; then the kind of its path. */
function stagesOf({ toServer }: Pair): string[] {
  const stages: string[] = [];
  const note = (): void => {
    const stage = toServer.stage ?? toServer.path.kind;
    if (stages.at(-1) !== stage) stages.push(stage);
  };
  note();
  toServer.onProgress(note);
  return stages;
}

t.test('a client hears of each step on its way to a server, without asking', async (t) => {
  const world = new World(8);
  const pair = await pairIn(world);
  const stages = stagesOf(pair);
  t.not(await world.until(() => isMet(pair), LONG), undefined);
  t.same(stages, ['bootstrapping', 'searching', 'asking', 'punching', 'direct']);
});

t.test('a client without UDP punches nothing, and one whose server is away goes on searching', async (t) => {
  const world = new World(9);
  const pair = await pairIn(world, { clientUdp: false });
  const stages = stagesOf(pair);
  t.not(await world.until(() => isMet(pair), LONG), undefined);
  t.same(stages, ['bootstrapping', 'searching', 'asking', 'relayed']);
  void pair.server.tox.stop();
  t.not(await world.until(() => !pair.toServer.isOnline, LONG), undefined);
  await world.until(() => false, 400_000);
  t.equal(pair.toServer.stage, 'searching');
});
