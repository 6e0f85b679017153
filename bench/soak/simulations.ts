/** Many seeds of whole stacks on simulated networks: how long two of them take to meet, and whether any pair never does. */
import type { ChurnOptions } from '../../test/support/churn-network.js';
import { BUSY } from '../../test/support/tiny-network.js';
import { acceptAll, type Peer, World } from '../../test/support/world.js';

export interface Simulation {
  readonly name: string;
  readonly seeds: number;
  /** Nodes of the network besides the two that meet. */
  readonly nodes: number;
  /** ms one way, and up to so many more. */
  readonly delay: number;
  readonly jitter: number;
  /** Of the datagrams: lost, and delivered twice. */
  readonly loss: number;
  readonly duplicate: number;
}

export const SIMULATIONS: readonly Simulation[] = [
  { name: '1 node, 5 % loss', seeds: 200, nodes: 1, delay: 20, jitter: 20, loss: 0.05, duplicate: 0.01 },
  { name: '4 nodes, 20 % loss', seeds: 50, nodes: 4, delay: 20, jitter: 20, loss: 0.2, duplicate: 0.01 },
  { name: '60 nodes, 10 % loss', seeds: 6, nodes: 60, delay: 25, jitter: 25, loss: 0.1, duplicate: 0.01 },
];

/** Clients that come while somebody is killed and run again, or stopped: four in each seed. */
export const CHURNS: readonly { readonly name: string; readonly seeds: number; readonly options: ChurnOptions }[] = [
  { name: 'the node is killed and run again', seeds: 25, options: { victims: ['node'] } },
  {
    name: 'the node and the server are, busy machine, 5 % loss',
    seeds: 25,
    options: { victims: ['node', 'server'], load: BUSY, loss: 0.05 },
  },
  {
    name: 'the node is, and somebody is stopped for 1 to 10 s',
    seeds: 25,
    options: { victims: ['node'], stop: [1_000, 10_000] },
  },
];

/** ms; a pair that needs longer has not met. */
export const LIMIT = 30_000;
/** ms that the network has to itself before the client starts. */
const WARM_UP = 10_000;
const HELLO = Buffer.from('hi\0');

/** ms until both are online to each other; Infinity when they are not in time. */
export async function meet(simulation: Simulation, seed: number): Promise<number> {
  const world = new World(seed);
  const { delay, jitter, loss, duplicate } = simulation;
  Object.assign(world.network.faults, { delay, jitter, loss, duplicate });
  const network = await world.peers(simulation.nodes);
  const server = (await world.peer()).join(network[0] as Peer);
  const { friends } = acceptAll(server);
  await world.settle();
  world.clock.advance(WARM_UP);
  const client = (await world.peer()).join(network[world.random.below(network.length)] as Peer);
  const friend = client.tox.addFriend(server.tox.id, HELLO);
  const took = await world.until(() => friend.isOnline && friends[0]?.isOnline === true, LIMIT);
  return took ?? Number.POSITIVE_INFINITY;
}
