/** Whole stacks behind NATs that have another port for each peer: where it can be guessed they reach each other directly. */
import t, { type Test } from 'tap';
import type { Mapping } from '../support/mapping-nat.js';
import { acceptAll, type Peer, World } from '../support/world.js';

const NODES = 8;
const RELAY_PORT = 33445;
/** ms of simulated time: one way between any two, a guard against never, and the rounds of guessing that may be needed. */
const DELAY = 20;
const LONG = 60_000;
const GUESSING = 30_000;

/** ms from being online, by relay or directly, to a direct way; undefined when there was none within `limit` ms. */
async function meet(
  t: Test,
  seed: number,
  nats: readonly [Mapping, Mapping],
  limit: number,
): Promise<number | undefined> {
  const world = new World(seed);
  world.network.faults.delay = DELAY;
  world.network.faults.jitter = DELAY / 2;
  world.streams.delay = DELAY;
  const nodes: Peer[] = [];
  while (nodes.length < NODES) nodes.push(await world.peer({ role: 'node', relayPort: RELAY_PORT }));
  for (const node of nodes.slice(1)) node.join(nodes[0] as Peer);
  await world.until(() => false, 3_000);
  const enter = async (nat: Mapping): Promise<Peer> => (await world.peer({ nat })).join(nodes[0] as Peer);
  const server = await enter(nats[0]);
  const { friends } = acceptAll(server);
  t.ok(await world.until(() => server.tox.isOnline, LONG), 'the server is announced');
  const friend = (await enter(nats[1])).tox.addFriend(server.tox.id, Buffer.from('hi\0'));
  const isOnline = (): boolean => friend.isOnline && friends[0]?.isOnline === true;
  t.not(await world.until(isOnline, LONG), undefined, 'both are online');
  const isDirect = (): boolean => friend.facts.path.kind === 'direct' && friends[0]?.facts.path.kind === 'direct';
  const took = await world.until(isDirect, limit);
  t.ok(isOnline(), 'and still are');
  return took;
}

for (const nats of [
  ['in sequence', 'cone'],
  ['cone', 'in sequence'],
] as const) {
  t.test(
    `a NAT that counts its ports up is guessed by one that keeps them, the server ${nats[0]}, the client ${nats[1]}`,
    async (t) => {
      for (const seed of [1, 2, 3]) {
        const took = await meet(t, seed, nats, GUESSING);
        t.ok(took !== undefined, `direct ${took} ms after both were online`);
      }
    },
  );
}

t.test('random ports are not guessed, and the relay stays in use', async (t) => {
  t.equal(await meet(t, 4, ['at random', 'cone'], GUESSING), undefined);
});

t.test(
  'ports of two such NATs are not guessed, even in sequence: each guess moves the ports of the other side',
  async (t) => {
    t.equal(await meet(t, 5, ['in sequence', 'in sequence'], GUESSING), undefined);
  },
);
