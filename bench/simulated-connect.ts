/**
 * How long a client needs from its start until a friend is online, in a network of many of our nodes on the other side of
 * the world: no sockets, simulated time, repeatable from the seed.
 *
 *     node dist/bench/simulated-connect.js [NODES [CLIENTS [ONE_WAY_DELAY_MS [LOSS]]]]
 */
import { acceptAll, type Peer, World } from '../test/support/world.js';
import { type Mark, short, spread } from './support/figures.js';
import { benchmarkArguments, runBenchmark } from './support/output.js';
import { showProgress } from './support/progress.js';
import { quantile } from './support/statistics.js';

const [nodes = 60, clients = 20, delay = 25, loss = 0] = benchmarkArguments.map(Number);
/** ms; a guard against never. */
const LIMIT = 60_000;
/** ms that the network has to settle, and the server to be announced, before the first client starts. */
const WARM_UP = 60_000;

await runBenchmark('Cold connect, simulated', async () => {
  const world = new World(1);
  world.network.faults.delay = delay;
  world.network.faults.loss = loss;
  const network = await world.peers(nodes);
  const server = (await world.peer()).join(network[0] as Peer);
  acceptAll(server);
  await world.settle();
  world.clock.advance(WARM_UP);

  const seconds: number[] = [];
  for (let index = 0; index < clients; index += 1) {
    showProgress(`client ${index + 1} of ${clients}`);
    const client = (await world.peer()).join(network[world.random.below(nodes)] as Peer);
    const friend = client.tox.addFriend(server.tox.id, Buffer.from('hi\0'));
    const took = await world.until(() => friend.isOnline, LIMIT);
    if (took !== undefined) seconds.push(took / 1000);
    void client.tox.stop();
    await world.settle();
    world.clock.advance(1_000);
  }
  const failures = clients - seconds.length;
  const inTime: Mark = { text: `all in ${LIMIT / 1000} s`, isReached: failures === 0 };
  return [
    {
      what: `${nodes} nodes, ${delay} ms one way, ${loss * 100} % loss`,
      measured: spread(seconds, 's'),
      mark: inTime,
      note: `${clients} clients, 90 % ${short(quantile(seconds, 0.9))} s${failures > 0 ? `; ${failures} did not connect` : ''}`,
    },
  ];
});
