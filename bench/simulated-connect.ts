/**
 * How long a client needs from its start until a friend is online, in a network of many of our nodes on the other side of
 * the world: no sockets, simulated time, repeatable from the seed.
 *
 *     node dist/bench/simulated-connect.js [NODES [CLIENTS [ONE_WAY_DELAY_MS [LOSS]]]]
 */
import { acceptAll, type Peer, World } from '../test/support/world.js';
import { least, median, most, quantile } from './support/statistics.js';

const [nodes = 60, clients = 20, delay = 25, loss = 0] = process.argv.slice(2).map(Number);
/** ms; a guard against never. */
const LIMIT = 60_000;
/** ms that the network has to settle, and the server to be announced, before the first client starts. */
const WARM_UP = 60_000;

const world = new World(1);
world.network.faults.delay = delay;
world.network.faults.loss = loss;
const network = await world.peers(nodes);
const server = (await world.peer()).join(network[0] as Peer);
acceptAll(server);
await world.settle();
world.clock.advance(WARM_UP);

console.log(`${nodes} nodes, ${delay} ms one way, ${loss * 100} % loss: cold starts of ${clients} clients`);
const times: number[] = [];
let failures = 0;
for (let index = 0; index < clients; index += 1) {
  const client = (await world.peer()).join(network[world.random.below(nodes)] as Peer);
  const friend = client.tox.addFriend(server.tox.id, Buffer.from('hi\0'));
  const took = await world.until(() => friend.isOnline, LIMIT);
  if (took === undefined) failures += 1;
  else times.push(took);
  void client.tox.stop();
  await world.settle();
  world.clock.advance(1_000);
}
const seconds = (ms: number): string => (ms / 1000).toFixed(2);
console.log(
  `  least ${seconds(least(times))}  median ${seconds(median(times))}  90 % ${seconds(quantile(times, 0.9))}  worst ${seconds(most(times))} s`,
);
if (failures > 0) {
  console.log(`  ${failures} did not connect within ${LIMIT / 1000} s`);
  process.exitCode = 1;
}
