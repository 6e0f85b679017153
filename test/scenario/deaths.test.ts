/** Small networks most of whose members die: the others stay online, and forget the dead ones. Times are simulated. */
import t from 'tap';
import { type Logger, silentLogger } from '../../src/base/logger.js';
import { acceptAll, type Peer, World } from '../support/world.js';

const MINUTE = 60_000;
/** Specification: a node that has not answered for 182 s is not asked any more; with the last answer's own age and a round, ms. */
const FORGOTTEN = 4 * MINUTE;
const HELLO = Buffer.from('hi\0');
const WRONG = Buffer.from('no\0');

class SmallNetwork {
  readonly world: World;
  /** What node and server logged about their network. */
  readonly said: string[] = [];
  readonly dead = new Set<string>();
  /** ms of the last packet to a dead peer. */
  lastToDead = 0;
  node!: Peer;
  server!: Peer;

  constructor(seed: number) {
    this.world = new World(seed);
    Object.assign(this.world.network.faults, { delay: 0.2, jitter: 0.3 });
    this.world.network.filter = (_, from, to) => {
      if (this.dead.has(from.address)) return false;
      if (this.dead.has(to.address)) this.lastToDead = this.world.clock.now();
      return true;
    };
  }

  async start(): Promise<this> {
    const log: Logger = { ...silentLogger, info: (text) => void this.said.push(text), child: () => log };
    this.node = await this.world.peer({ role: 'node', log });
    this.server = (await this.world.peer({ log })).join(this.node);
    await this.world.until(() => this.server.tox.isOnline && this.node.tox.isOnline, MINUTE);
    for (const [name, { tox }] of Object.entries({ node: this.node, server: this.server })) {
      tox.onOnlineChange((isOnline) => this.said.push(`${name} ${isOnline ? 'online' : 'offline'}`));
    }
    return this;
  }

  /** Peers that come, and are killed after a minute, one after another within it. */
  async killed(count: number, greeting: Buffer): Promise<void> {
    const mortals: Peer[] = [];
    for (let index = 0; index < count; index += 1) {
      const mortal = (await this.world.peer()).join(this.node);
      mortal.tox.addFriend(this.server.tox.id, greeting);
      mortals.push(mortal);
    }
    await this.world.settle();
    this.world.clock.advance(MINUTE);
    for (const mortal of mortals) {
      this.dead.add(mortal.address);
      void mortal.tox.stop();
      await this.world.settle();
      this.world.clock.advance(MINUTE / count);
    }
    await this.world.settle();
  }

  /** Packets of all in so many minutes. */
  packets(minutes: number): number {
    const before = this.world.network.sent;
    this.world.clock.advance(minutes * MINUTE);
    return this.world.network.sent - before;
  }
}

for (const [count, seed] of [
  [1, 1],
  [8, 2],
  [8, 3],
] as const) {
  t.test(`a node and a server stay online, and forget ${count} that died; seed ${seed}`, async (t) => {
    const quiet = await new SmallNetwork(seed).start();
    quiet.world.clock.advance(17 * MINUTE);
    const normal = quiet.packets(5);
    const network = await new SmallNetwork(seed).start();
    await network.killed(count, WRONG);
    const diedAt = network.world.clock.now();
    network.world.clock.advance(15 * MINUTE);
    t.same(network.said, []);
    t.ok(network.lastToDead - diedAt < FORGOTTEN, `asked ${(network.lastToDead - diedAt) / 1000} s after the death`);
    const packets = network.packets(5);
    t.ok(packets <= normal * 1.05, `${packets} packets in 5 minutes, ${normal} in a network without deaths`);
  });
}

t.test('a server whose clients died logs nothing, and forgets their addresses', async (t) => {
  const network = await new SmallNetwork(4).start();
  const { friends } = acceptAll(network.server);
  await network.killed(5, HELLO);
  t.equal(friends.length, 5);
  const diedAt = network.world.clock.now();
  network.world.clock.advance(15 * MINUTE);
  t.same(network.said, []);
  t.ok(
    network.lastToDead - diedAt < FORGOTTEN + MINUTE,
    `asked ${(network.lastToDead - diedAt) / 1000} s after the death`,
  );
});

t.test(
  'if all nodes but one have died, the silence of that one is an outage, and so is its end detected',
  async (t) => {
    const network = await new SmallNetwork(5).start();
    const { world, node, server, said } = network;
    await network.killed(8, WRONG);
    world.clock.advance(30_000);
    world.network.blackHoles.add(node.address);
    const took = await world.until(() => !server.tox.isOnline, MINUTE);
    t.ok(took !== undefined && took < 30_000, `offline after ${took} ms`);
    world.network.blackHoles.delete(node.address);
    const back = await world.until(() => server.tox.isOnline && node.tox.isOnline, MINUTE);
    t.ok(back !== undefined && back < 10_000, `online after ${back} ms`);
    t.same(
      said.filter((text) => text.startsWith('server')),
      ['server offline', 'server online'],
    );
  },
);
