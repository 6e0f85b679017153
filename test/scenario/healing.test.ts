/** Outages of every kind, after which whole stacks find each other again by themselves, and soon. Times are simulated. */
import t from 'tap';
import type { Friend } from '../../src/tox/messenger.js';
import { acceptAll, type Peer, World } from '../support/world.js';

const HELLO = Buffer.from('hi\0');
/** ms: a guard against never. */
const LONG = 120_000;
const SEEDS = [1, 2, 3];

interface Scene {
  readonly world: World;
  readonly node: Peer;
  readonly server: Peer;
  readonly friend: Friend;
}

/** A node, a server and a client of it that have known each other for a minute. */
async function set(seed: number): Promise<Scene> {
  const world = new World(seed);
  world.network.faults.delay = 10;
  const node = await world.peer({ role: 'node' });
  const server = (await world.peer()).join(node);
  acceptAll(server);
  const friend = (await world.peer()).join(node).tox.addFriend(server.tox.id, HELLO);
  await world.until(() => friend.isOnline, LONG);
  world.clock.advance(60_000);
  return { world, node, server, friend };
}

/** ms until the old client and a new one are both connected to the server. */
async function recovery({ world, node, server, friend }: Scene): Promise<{ present: number; newcomer: number }> {
  const start = world.clock.now();
  const newcomer = (await world.peer()).join(node).tox.addFriend(server.tox.id, HELLO);
  const since = { present: Number.POSITIVE_INFINITY, newcomer: Number.POSITIVE_INFINITY };
  await world.until(() => {
    const passed = world.clock.now() - start;
    if (friend.isOnline) since.present = Math.min(since.present, passed);
    if (newcomer.isOnline) since.newcomer = Math.min(since.newcomer, passed);
    return friend.isOnline && newcomer.isOnline;
  }, LONG);
  return since;
}

function vanish(world: World, peer: Peer): void {
  world.network.blackHoles.add(peer.address);
  void peer.tox.stop();
}

for (const seconds of [10, 40, 300]) {
  t.test(
    `a server whose line was cut for ${seconds} s is reached within seconds of the network's return`,
    async (t) => {
      for (const seed of SEEDS) {
        const scene = await set(seed);
        const { world, server } = scene;
        world.network.blackHoles.add(server.address);
        world.clock.advance(seconds * 1000 + seed * 370);
        world.network.blackHoles.delete(server.address);
        const { present, newcomer } = await recovery(scene);
        t.ok(present < 5_000 && newcomer < 5_000, `${present} and ${newcomer} ms`);
      }
    },
  );
}

for (const seconds of [3, 20, 600]) {
  t.test(`a server that was stopped for ${seconds} s is reached within seconds`, async (t) => {
    for (const seed of SEEDS) {
      const scene = await set(seed);
      const { world, server } = scene;
      server.clock.freeze();
      world.clock.advance(seconds * 1000 + seed * 370);
      server.clock.thaw();
      const { present, newcomer } = await recovery(scene);
      t.ok(present < 6_000 && newcomer < 6_000, `${present} and ${newcomer} ms`);
    }
  });
}

t.test(
  'if the other node of a network of two has just died, the next client finds the server within seconds',
  async (t) => {
    for (const seed of SEEDS) {
      const world = new World(seed);
      const server = await world.peer();
      acceptAll(server);
      const first = (await world.peer()).join(server);
      const before = first.tox.addFriend(server.tox.id, HELLO);
      await world.until(() => before.isOnline, LONG);
      world.clock.advance(10_000);
      vanish(world, first);
      world.clock.advance(2_000);
      const after = (await world.peer()).join(server).tox.addFriend(server.tox.id, HELLO);
      const took = await world.until(() => after.isOnline, LONG);
      t.ok(took !== undefined && took < 5_000, `${took} ms`);
    }
  },
);

t.test('if all neighbours of a server but one die at once, living ones announce it within seconds', async (t) => {
  for (const seed of SEEDS) {
    const scene = await set(seed);
    const { world, node, server } = scene;
    const mortals: Peer[] = [];
    for (let count = 0; count < 6; count += 1) mortals.push((await world.peer({ role: 'node' })).join(node));
    world.clock.advance(300_000);
    for (const mortal of mortals) vanish(world, mortal);
    world.clock.advance(15_000);
    t.ok(server.tox.isOnline, 'it never was alone');
    const { newcomer } = await recovery(scene);
    t.ok(newcomer < 3_000, `a new client is connected after ${newcomer} ms`);
  }
});

t.test('nine of ten bootstrap nodes are black holes: online within 3 s', async (t) => {
  for (let seed = 1; seed <= 20; seed += 1) {
    const world = new World(seed);
    world.network.faults.delay = 50;
    world.network.faults.jitter = 50;
    const nodes: Peer[] = [];
    for (let count = 0; count < 10; count += 1) nodes.push(await world.peer({ role: 'node' }));
    for (const node of nodes.slice(1)) node.join(nodes[0] as Peer);
    await world.settle();
    world.clock.advance(10_000);
    const living = world.random.below(nodes.length);
    for (const [index, node] of nodes.entries()) if (index !== living) world.network.blackHoles.add(node.address);
    const client = await world.peer();
    for (const node of nodes) client.join(node);
    const took = await world.until(() => client.tox.isOnline, LONG);
    t.ok(took !== undefined && took <= 3_000, `seed ${seed}: ${took} ms`);
  }
});

t.test('a peer that is alone does not believe that it is online', async (t) => {
  const { world, node, server, friend } = await set(1);
  const changes: boolean[] = [];
  server.tox.onOnlineChange((isOnline) => changes.push(isOnline));
  world.network.blackHoles.add(server.address);
  const took = await world.until(() => !server.tox.isOnline, LONG);
  t.ok(took !== undefined && took < 40_000, `offline after ${took} ms`);
  world.network.blackHoles.delete(server.address);
  t.ok(await world.until(() => server.tox.isOnline && friend.isOnline, LONG));
  t.same(changes, [false, true]);
  t.ok(node.tox.isOnline);
});
