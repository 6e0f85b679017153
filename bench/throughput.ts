/**
 * Throughput, round trips and memory between two peers of ours on loopback, through one forwarded port; beside it, from
 * the same run, what plain TCP reaches through a process that only copies.
 *
 *     node dist/bench/throughput.js [MiB for each transfer, 256 by default] [rounds, 5 by default]
 *
 * The bytes are generated (AES, some GB/s) but not hashed: the demo does that. Up is from the client to the service.
 */
import { tool } from '../test/support/requirements.js';
import { atLeast, atMost, type Figure, type Mark, short, spread } from './support/figures.js';
import { benchmarkArguments, runBenchmark } from './support/output.js';
import {
  type Memory,
  memoryOf,
  startClient,
  startNode,
  startNodeRelay,
  startServer,
  startService,
  startSocat,
  whileAllRun,
} from './support/private-network.js';
import { showProgress } from './support/progress.js';
import { type Direction, greet, megabytesPerSecond, roundTrips, transfer } from './support/service-client.js';
import { median, quantile } from './support/statistics.js';

const [mebibytes = 256, rounds = 5] = benchmarkArguments.map(Number);
const size = mebibytes * 2 ** 20;
const ROUND_TRIPS = 1000;
/** Small writes before those that count: the first ones find code that is not compiled yet. */
const WARM_UP = 200;
/** As many transfers in all as the mark for memory wants. */
const TRANSFERS = 10;
const MB = 1e6;

interface Rates {
  readonly down: readonly number[];
  readonly up: readonly number[];
}

async function rates(name: string, port: number, count: number): Promise<Rates> {
  const found: Record<Direction, number[]> = { down: [], up: [] };
  for (let round = 1; round <= count; round += 1) {
    for (const direction of ['down', 'up'] as const) {
      showProgress(`${name}: ${direction}, round ${round} of ${count}`);
      const work = transfer(port, direction, size, { hasDigest: false });
      found[direction].push(megabytesPerSecond(await whileAllRun(work)));
    }
  }
  return found;
}

async function idleRoundTrips(name: string, port: number): Promise<number[]> {
  showProgress(`${name}: round trips`);
  return (await whileAllRun(roundTrips(port, WARM_UP + ROUND_TRIPS))).slice(WARM_UP);
}

/** While another connection through the same port is as busy as it can be. */
async function busyRoundTrips(port: number): Promise<number[]> {
  showProgress('tunnel: round trips beside a transfer');
  let isOver = false;
  const bulk = transfer(port, 'down', size, { hasDigest: false }).finally(() => {
    isOver = true;
  });
  const times: number[] = [];
  const probe = async (): Promise<void> => {
    while (!isOver) times.push(...(await roundTrips(port, 20)));
  };
  await whileAllRun(Promise.all([bulk, probe()]));
  return times;
}

const describeTrips = (times: readonly number[]): string =>
  `${short(median(times))} ms, 95 %: ${short(quantile(times, 0.95))} ms`;

/** In units of 10^6 bytes, as the mark. */
function memoryFigure(what: string, client: number | undefined, server: number | undefined, limit?: number): Figure {
  if (client === undefined || server === undefined) return { what, measured: 'unknown: no /proc here' };
  const [clientSize, serverSize] = [client / MB, server / MB];
  const mark: Mark | undefined =
    limit === undefined ? undefined : atMost(Math.max(clientSize, serverSize), limit, 'MB');
  return { what, measured: `client ${short(clientSize)}, server ${short(serverSize)} MB`, mark };
}

async function limits(target: number): Promise<Figure[]> {
  const direct = { name: 'plain TCP', port: target };
  const relay = { name: 'one copying Node', port: await startNodeRelay(target) };
  const socat = tool('socat', 'socat').isMet ? [{ name: 'socat', port: await startSocat(target) }] : [];
  const found: Figure[] = [];
  for (const { name, port } of [direct, relay, ...socat]) {
    const { down, up } = await rates(name, port, 3);
    const trips = await idleRoundTrips(name, port);
    const measured = `${short(median(down))} down, ${short(median(up))} up MB/s, ${short(median(trips))} ms`;
    found.push({ what: `limit: ${name}`, measured });
  }
  return found;
}

await runBenchmark('Throughput on loopback', async () => {
  const bootstrap = await startNode();
  const target = await startService();
  const server = await startServer(bootstrap);
  const client = await startClient(server, { bootstrap, target });
  await whileAllRun(greet(client.port));
  const memory = (): { client: Memory | undefined; server: Memory | undefined } => ({
    client: memoryOf(client.process),
    server: memoryOf(server.process),
  });

  const before = memory();
  const idle = await idleRoundTrips('tunnel', client.port);
  const first = await rates('tunnel', client.port, 1);
  const afterTwo = memory();
  const rest = await rates('tunnel', client.port, Math.max(rounds - 1, TRANSFERS / 2 - 1));
  const afterAll = memory();
  const busy = await busyRoundTrips(client.port);
  const comparisons = await limits(target);

  const down = [...first.down, ...rest.down].slice(0, rounds);
  const up = [...first.up, ...rest.up].slice(0, rounds);
  return [
    { what: 'down', measured: spread(down, 'MB/s'), mark: atLeast(median(down), 60, 'MB/s') },
    { what: 'up', measured: spread(up, 'MB/s'), mark: atLeast(median(up), 60, 'MB/s') },
    {
      what: 'round trip',
      measured: describeTrips(idle),
      mark: atMost(median(idle), 1, 'ms'),
    },
    { what: '  beside a transfer', measured: describeTrips(busy) },
    memoryFigure('memory before', before.client?.resident, before.server?.resident),
    memoryFigure('  most, 2 transfers', afterTwo.client?.peak, afterTwo.server?.peak, 100),
    memoryFigure(`  most, ${2 + rest.down.length * 2} transfers`, afterAll.client?.peak, afterAll.server?.peak, 100),
    memoryFigure('  after them', afterAll.client?.resident, afterAll.server?.resident),
    ...comparisons,
  ];
});
