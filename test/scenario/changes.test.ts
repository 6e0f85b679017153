/** Whole stacks exchange data while the network changes: nothing is lost, and the exchange continues soon. */
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
  /** Whether the client sends by UDP. */
  readonly isDirect: boolean;
  /** Nothing enters or leaves an address any more. */
  cut(address: string): void;
  heal(address: string): void;
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
  readonly peer: PeerOptions;
  /** When it differs from the client. */
  readonly server?: PeerOptions;
  readonly isOneWay?: boolean;
  /** ms of talk before the change. */
  readonly before?: number;
}

async function converse(t: Test, setting: Setting): Promise<Scene> {
  const { seed, nodes: count, relays, peer, before = 3 * SECOND } = setting;
  const world = new World(seed);
  Object.assign(world.network.faults, { delay: 10 });
  const nodes: Peer[] = [];
  for (let index = 0; index < count; index += 1) {
    nodes.push(await world.peer({ role: 'node', relayPort: index < relays ? RELAY_PORT : 0 }));
  }
  const [server, client] = [await world.peer(setting.server ?? peer), await world.peer(peer)];
  for (const one of [...nodes.slice(1), server, client]) one.join(nodes[0] as Peer);
  for (const one of [server, client]) for (const node of nodes.slice(1)) one.join(node);
  const { friends } = acceptAll(server);
  const friend = client.tox.addFriend(server.tox.id, HELLO);
  t.ok(await world.until(() => friend.isOnline && friends[0]?.isOnline === true, LONG), 'online');
  const back = friends[0] as Friend;
  const streams = [new OneWay(world.clock, friend, back)];
  if (!setting.isOneWay) streams.push(new OneWay(world.clock, back, friend));
  for (const one of [friend, back])
    one.onPresence((presence, reason) => presence === 'offline' && t.fail(`offline: ${reason}`));
  const run = async (duration: number): Promise<void> => void (await world.until(() => false, duration));
  await run(before);
  return {
    world,
    nodes,
    server,
    client,
    get isDirect() {
      return friend.facts.path.kind === 'direct';
    },
    cut: (address) => {
      for (const net of [world.network, world.streams]) net.blackHoles.add(address);
    },
    heal: (address) => {
      for (const net of [world.network, world.streams]) net.blackHoles.delete(address);
    },
    run,
    stall: (since) => Math.max(...streams.map((stream) => stream.stallSince(since))),
    end: async () => {
      for (const stream of streams) stream.stop();
      t.not(
        await world.until(() => streams.every(({ isWhole }) => isWhole), LONG),
        undefined,
        'all have arrived, in order',
      );
    },
  };
}

const NAT: PeerOptions = { isBehindMovingNat: true };
/** ms of simulated time: by then it must go on, for no timer that waits for more should be in the way. */
const SOON = 2 * SECOND;
const SOON_WITHOUT_HINT = 6 * SECOND;

function checkSoon(t: Test, scene: Scene, since: number, limit = SOON): void {
  const stall = scene.stall(since);
  t.ok(stall <= limit, `it goes on after ${stall} ms`);
}

for (const { name, relays, nodes, who } of [
  { name: 'the client, with one node that knows both', relays: 0, nodes: 1, who: ['client'] },
  { name: 'the server, in a network of four', relays: 0, nodes: 4, who: ['server'] },
  { name: 'both at once', relays: 0, nodes: 2, who: ['client', 'server'] },
  { name: 'both at once, with a relay', relays: 1, nodes: 2, who: ['client', 'server'] },
] as const) {
  t.test(`a peer behind a NAT that gets another address is followed: ${name}`, async (t) => {
    const scene = await converse(t, { seed: 1, nodes, relays, peer: NAT });
    for (const round of [1, 2]) {
      const since = scene.world.clock.now();
      for (const one of who) scene[one].nat.renumber(scene.world.newAddress());
      await scene.run(10 * SECOND);
      checkSoon(t, scene, since);
      t.ok(scene.isDirect, `directly, time ${round}`);
    }
    await scene.end();
  });
}

t.test('a receiver that changes its address while it sends only acknowledgements is followed', async (t) => {
  const scene = await converse(t, { seed: 2, nodes: 2, relays: 0, peer: NAT, isOneWay: true });
  const since = scene.world.clock.now();
  scene.server.nat.renumber(scene.world.newAddress());
  await scene.run(10 * SECOND);
  checkSoon(t, scene, since, SOON_WITHOUT_HINT);
  await scene.end();
});

t.test('a public peer that changes its address is followed', async (t) => {
  const scene = await converse(t, { seed: 3, nodes: 2, relays: 0, peer: NAT, server: {} });
  const since = scene.world.clock.now();
  scene.client.nat.renumber(scene.world.newAddress());
  await scene.run(5 * SECOND);
  checkSoon(t, scene, since);
  await scene.end();
});

for (const seconds of [3, 20, 28]) {
  t.test(`a line cut for ${seconds} s carries on as soon as it is healed`, async (t) => {
    for (const relays of [0, 1]) {
      const scene = await converse(t, { seed: 5 + relays, nodes: 2, relays, peer: NAT });
      scene.cut(scene.client.address);
      await scene.run(seconds * SECOND);
      scene.heal(scene.client.address);
      const since = scene.world.clock.now();
      await scene.run(10 * SECOND);
      checkSoon(t, scene, since, SECOND);
      t.ok(scene.isDirect, 'directly');
      await scene.end();
    }
  });
}

for (const relays of [1, 6]) {
  t.test(`a relay carries on at once when UDP dies, and UDP when it is back; ${relays} of them`, async (t) => {
    const scene = await converse(t, { seed: 10 + relays, nodes: relays, relays, peer: NAT, before: 25 * SECOND });
    for (const round of [1, 2]) {
      t.ok(scene.isDirect, 'directly at first');
      const died = scene.world.clock.now();
      scene.world.network.blackHoles.add(scene.client.address);
      await scene.run(15 * SECOND);
      checkSoon(t, scene, died);
      t.notOk(scene.isDirect, 'over a relay');
      scene.world.network.blackHoles.delete(scene.client.address);
      const back = scene.world.clock.now();
      t.ok((await scene.world.until(() => scene.isDirect, 5 * SECOND)) !== undefined, `directly again, time ${round}`);
      await scene.run(15 * SECOND);
      t.equal(scene.stall(back), 0, 'without a pause');
    }
    await scene.end();
  });
}

for (const how of ['is killed', 'falls silent']) {
  t.test(`a relay that ${how} while it carries all is replaced by another one`, async (t) => {
    const scene = await converse(t, { seed: 20, nodes: 3, relays: 3, peer: { udp: false } });
    for (const node of scene.nodes.slice(0, 2)) {
      const since = scene.world.clock.now();
      scene.world.streams.blackHoles.add(node.address);
      if (how === 'is killed') scene.world.streams.reset(node.address);
      await scene.run(15 * SECOND);
      checkSoon(t, scene, since, SOON_WITHOUT_HINT);
    }
    await scene.end();
  });
}

t.test('loss, duplicates and reordering lose no byte of a conversation, even during all of the above', async (t) => {
  const scene = await converse(t, { seed: 30, nodes: 3, relays: 2, peer: NAT });
  Object.assign(scene.world.network.faults, { loss: 0.05, duplicate: 0.05, jitter: 30 });
  await scene.run(5 * SECOND);
  scene.client.nat.renumber(scene.world.newAddress());
  await scene.run(5 * SECOND);
  scene.world.network.blackHoles.add(scene.client.address);
  await scene.run(5 * SECOND);
  scene.server.nat.renumber(scene.world.newAddress());
  await scene.run(3 * SECOND);
  scene.world.network.blackHoles.clear();
  await scene.run(5 * SECOND);
  scene.cut(scene.server.address);
  await scene.run(20 * SECOND);
  scene.heal(scene.server.address);
  await scene.run(5 * SECOND);
  await scene.end();
});
