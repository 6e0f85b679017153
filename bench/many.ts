/**
 * Many connections at once through one forwarded port: the time until all of them are served, the greeting and then
 * content of their own in one direction each.
 *
 *     node dist/bench/many.js [connections, 200 by default] [KiB each, 256 by default] [rounds, 5 by default]
 */
import { type Figure, spread } from './support/figures.js';
import { benchmarkArguments, runBenchmark } from './support/output.js';
import { startClient, startNode, startServer, startService, whileAllRun } from './support/private-network.js';
import { showProgress } from './support/progress.js';
import { greet, transfer } from './support/service-client.js';

const [connections = 200, kibibytes = 256, rounds = 5] = benchmarkArguments.map(Number);

async function all(name: string, one: (index: number) => Promise<unknown>): Promise<number[]> {
  const seconds: number[] = [];
  for (let round = 1; round <= rounds; round += 1) {
    showProgress(`${name}: round ${round} of ${rounds}`);
    const started = performance.now();
    await whileAllRun(Promise.all(Array.from({ length: connections }, (_, index) => one(index))));
    seconds.push((performance.now() - started) / 1000);
  }
  return seconds;
}

async function whole(port: number, index: number): Promise<void> {
  const direction = index % 2 === 0 ? 'down' : 'up';
  const { sentDigest, receivedDigest } = await transfer(port, direction, kibibytes * 1024);
  if (sentDigest !== receivedDigest) throw new Error(`connection ${index} (${direction}) carried wrong bytes`);
}

await runBenchmark('Many connections at once', async () => {
  const bootstrap = await startNode();
  const target = await startService();
  const server = await startServer(bootstrap);
  const client = await startClient(server, { bootstrap, target });
  await whileAllRun(greet(client.port));
  const figures: Figure[] = [];
  for (const [name, port] of [
    ['tunnel', client.port],
    ['direct', target],
  ] as const) {
    const greeted = await all(`${name}: greetings`, () => greet(port));
    const served = await all(`${name}: transfers`, (index) => whole(port, index));
    figures.push(
      { what: `${name}: ${connections} first bytes`, measured: spread(greeted, 's'), note: 'all at once' },
      { what: `${name}: ${kibibytes} KiB each`, measured: spread(served, 's'), note: 'half up, half down' },
    );
  }
  return figures;
});
