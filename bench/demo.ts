/**
 * `make demo`: the real command carries a TCP service through a private Tox network on this machine. Five processes: a
 * bootstrap node, a server, a client, the service, and this one, which visits the service. Everything is on loopback.
 *
 *     node dist/bench/demo.js [MiB each way, 256 by default]
 */
import { messageOf } from '../src/base/coded-error.js';
import { formatReport } from './support/demo-report.js';
import {
  endCleanlyOnSignals,
  memoryOf,
  startClient,
  startNode,
  startServer,
  startService,
  stopAll,
  whileAllRun,
} from './support/private-network.js';
import { clearProgress, showProgress } from './support/progress.js';
import { type Direction, greet, roundTrips, type Transfer, transfer } from './support/service-client.js';

const MIB = 2 ** 20;
const size = Number(process.argv[2] ?? 256) * MIB;
const ROUND_TRIPS = 300;

async function move(port: number, direction: Direction): Promise<Transfer> {
  const name = direction === 'down' ? 'service -> client' : 'client -> service';
  const onProgress = (bytes: number): void =>
    showProgress(`${name}: ${Math.floor(bytes / MIB)} of ${Math.floor(size / MIB)} MiB`);
  return whileAllRun(transfer(port, direction, size, { onProgress }));
}

async function demo(): Promise<boolean> {
  showProgress('starting a private Tox network');
  const bootstrap = await startNode();
  const target = await startService();
  const server = await startServer(bootstrap);
  const client = await startClient(server, { bootstrap, target });
  showProgress('connecting');
  await whileAllRun(greet(client.port));
  const connected = performance.now() - client.executedAt;
  const down = await move(client.port, 'down');
  const up = await move(client.port, 'up');
  // Last, for the first ones in a new process measure how long its code takes to be compiled.
  showProgress('measuring round trips');
  const times = await whileAllRun(roundTrips(client.port, ROUND_TRIPS));
  const memory = { client: memoryOf(client.process), server: memoryOf(server.process) };
  showProgress('stopping');
  const statuses = await stopAll();
  clearProgress();
  // 143: a client that SIGTERM ended did not end by itself. The service is killed by it.
  const hasEndedWell = statuses.get('server') === 0 && statuses.get('node') === 0 && statuses.get('client') === 143;
  process.stdout.write(formatReport({ connected, roundTrips: times, down, up, memory }));
  if (!hasEndedWell) console.error(`not ended well: ${[...statuses].map((pair) => pair.join(' with ')).join(', ')}`);
  return hasEndedWell && [down, up].every(({ sentDigest, receivedDigest }) => sentDigest === receivedDigest);
}

endCleanlyOnSignals();
try {
  process.exitCode = (await demo()) ? 0 : 1;
} catch (error) {
  clearProgress();
  console.error(`the demo failed: ${messageOf(error)}`);
  await stopAll();
  process.exitCode = 1;
}
