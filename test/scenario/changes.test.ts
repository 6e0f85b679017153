/** Whole stacks in mid-conversation while the network under them changes: nothing is lost, and it goes on soon. */
import t, { type Test } from 'tap';
import type { Friend } from '../../src/tox/messenger.js';
import { acceptAll, type Peer, type PeerOptions, World } from '../support/world.js';
import { OneWay } from './support/conversation.js';

const HELLO = Buffer.from('hi\0');
/** A guard against never, ms of simulated time. */
const LONG = 60_000;
const RELAY_PORT = 33445;
const SECOND = 1000;

interface Scene {
  readonly world: World;
  readonly nodes: readonly Peer[];
  readonly server: Peer;
  readonly client: Peer;
  readonly friend: Friend;
  readonly streams: readonly OneWay[];
  /** Lets it run so many ms. */
  run(duration: number): Promise<void>;
  /** ms from `since` until both directions flow again. */
  stall(since: number): number;
  end(): Promise<void>;
}

interface Setting {
  readonly seed: number;
  readonly nodes: number;
  readonly relays: number;
  readonly peer?: PeerOptions;
  /** ms of talk before the change. */
  readonly before?: number;
}

async function converse(t: Test, { seed, nodes: count, relays, peer = {}, before = 20 * SECOND }: Setting): Promise<Scene> {
  const world = new World(seed);
  Object.assign(world.network.faults, { delay: 10 });
  const nodes: Peer[] = [];
  for (let index = 0; index < count; index += 1) {
    nodes.push(await world.peer({ role: 'node', relayPort: index < relays ? RELAY_PORT : 0 }));
  }
  const [server, client] = [await world.peer(peer), await world.peer(peer)];
  for (const one of [...nodes.slice(1), server, client]) one.join(nodes[0] as Peer);
  for (const one of [server, client]) for (const node of nodes.slice(1)) one.join(node);
  const { friends } = acceptAll(server);
  const friend = client.tox.addFriend(server.tox.id, HELLO);
  t.ok(await world.until(() => friend.isOnline && friends[0]?.isOnline === true, LONG), 'online');
  const back = friends[0] as Friend;
  const streams = [new OneWay(world.clock, friend, back), new OneWay(world.clock, back, friend)];
  for (const one of [friend, back]) one.onOffline((reason) => t.fail(`offline: ${reason}`));
  const run = async (duration: number): Promise<void> => void (await world.until(() => false, duration));
  await run(before);
  return {
    world,
    nodes,
    server,
    client,
    friend,
    streams,
    run,
    stall: (since) => Math.max(...streams.map((stream) => stream.stallSince(since))),
    end: async () => {
      for (const stream of streams) stream.stop();
      t.not(await world.until(() => streams.every(({ isWhole }) => isWhole), LONG), undefined, 'all have arrived, in order');
    },
  };
}

const NAT: PeerOptions = { isBehindNat: true };

for (const relays of [0, 1]) {
  t.test(`renumber, ${relays} relays`, async (t) => {
    const scene = await converse(t, { seed: 1 + relays, nodes: 4, relays, peer: NAT });
    t.comment('path', scene.friend.facts.endpoint);
    const at = scene.world.clock.now();
    scene.client.nat.renumber(scene.world.newAddress());
    await scene.run(30 * SECOND);
    t.comment('stall', scene.stall(at), 'path', scene.friend.facts.endpoint);
    await scene.end();
  });
  t.test(`server renumber, ${relays} relays`, async (t) => {
    const scene = await converse(t, { seed: 1 + relays, nodes: 4, relays, peer: NAT });
    t.comment('path', scene.friend.facts.endpoint);
    const at = scene.world.clock.now();
    scene.server.nat.renumber(scene.world.newAddress());
    await scene.run(30 * SECOND);
    t.comment('stall', scene.stall(at), 'path', scene.friend.facts.endpoint);
    await scene.end();
  });
  t.test(`renumber, ${relays} relays, only one node`, async (t) => {
    const scene = await converse(t, { seed: 3 + relays, nodes: 1, relays, peer: NAT });
    const at = scene.world.clock.now();
    scene.client.nat.renumber(scene.world.newAddress());
    await scene.run(30 * SECOND);
    t.comment('stall', scene.stall(at), 'path', scene.friend.facts.endpoint);
    await scene.end();
  });
  t.test(`renumber both, ${relays} relays`, async (t) => {
    const scene = await converse(t, { seed: 3 + relays, nodes: 2, relays, peer: NAT });
    const at = scene.world.clock.now();
    scene.client.nat.renumber(scene.world.newAddress());
    scene.server.nat.renumber(scene.world.newAddress());
    await scene.run(30 * SECOND);
    t.comment('stall', scene.stall(at), 'path', scene.friend.facts.endpoint);
    await scene.end();
  });
  for (const duration of [5, 20])
  t.test(`cut ${duration}, ${relays} relays`, async (t) => {
    const scene = await converse(t, { seed: 5 + relays, nodes: 2, relays, peer: NAT });
    for (const net of [scene.world.network, scene.world.streams]) net.blackHoles.add(scene.client.address);
    await scene.run(duration * SECOND);
    for (const net of [scene.world.network, scene.world.streams]) net.blackHoles.delete(scene.client.address);
    const at = scene.world.clock.now();
    await scene.run(20 * SECOND);
    t.comment('stall', scene.stall(at), 'path', scene.friend.facts.endpoint);
    await scene.end();
  });
}
for (const relays of [1, 2, 6]) {
  t.test(`udp blocked, ${relays} relays`, async (t) => {
    const scene = await converse(t, { seed: 5 + relays, nodes: relays, relays, peer: NAT });
    let at = scene.world.clock.now();
    scene.world.network.blackHoles.add(scene.client.address);
    await scene.run(10 * SECOND);
    t.comment('stall', scene.stall(at), 'path', scene.friend.facts.endpoint);
    scene.world.network.blackHoles.delete(scene.client.address);
    at = scene.world.clock.now();
    t.comment('direct again', await scene.world.until(() => scene.friend.facts.endpoint !== undefined, LONG), 'stall', scene.stall(at));
    await scene.end();
  });
}
