/**
 * Whether a tunnel costs the same however much goes through, and however far it is: 1 MB to 1 GB, or 10, on loopback; and 2 to 300 ms in
 * the lab. The processor is of both ends together and for each GB, memory that of the larger end. By tunnels: bench/tunnels.
 *
 *     node dist/bench/scale.js [bytes|delays, or nothing for both] [MB of the largest transfer, 1000 by default; 10000]
 */
import { join } from 'node:path';
import { LAB_REQUIREMENTS } from '../test/support/lab.js';
import { type Process, ROOT } from '../test/support/processes.js';
import { inLab } from './support/bench-lab.js';
import { openWay, startLabService, TUNNEL_KINDS, type TunnelKind } from './support/link-tunnels.js';
import { benchmarkArguments, runBenchmark } from './support/output.js';
import { startClient, startNode, startServer, startService, whileAllRun } from './support/private-network.js';
import { showProgress } from './support/progress.js';
import type { Cell, Column } from './support/results.js';
import { transfer } from './support/service-client.js';
import { processorSeconds } from './support/usage.js';

const MB = 1e6;
const SIZES = [1, 10, 100, 1000, 10_000];
/** One-way delays, ms, and the rate of the link, Mbit/s. */
const DELAYS = [1, 5, 20, 50, 150];
const RATE = 100;
const DELAYED_BYTES = 60 * MB;
const COLUMNS: readonly Column[] = [
  { name: 'curve' },
  { name: 'at' },
  { name: 'rate', unit: 'MB/s' },
  { name: 'processor', unit: 's for 1 GB' },
  { name: 'resident', unit: 'MB' },
];

interface Ends {
  readonly port: number;
  readonly processes: readonly Process[];
}

async function startPair(): Promise<Ends> {
  const bootstrap = await startNode();
  const target = await startService();
  const server = await startServer(bootstrap);
  const client = await startClient(server, { bootstrap, target });
  await whileAllRun(transfer(client.port, 'down', 30 * MB, { hasDigest: false }));
  return { port: client.port, processes: [client.process, server.process] };
}

const resident = async (processes: readonly Process[]): Promise<number> =>
  Math.max(...(await Promise.all(processes.map((process) => process.resident()))));

const processor = (processes: readonly Process[]): number =>
  processes.reduce((sum, process) => sum + processorSeconds(process), 0);

/** @returns MB/s, seconds of the processor for 1 GB */
async function cost(
  processes: readonly Process[],
  bytes: number,
  work: () => Promise<unknown>,
): Promise<[number, number]> {
  const before = processor(processes);
  const startedAt = performance.now();
  await work();
  const milliseconds = performance.now() - startedAt;
  return [bytes / 1000 / milliseconds, ((processor(processes) - before) * 1000 * MB) / bytes];
}

async function bySize({ port, processes }: Ends, megabytes: number): Promise<Cell[]> {
  showProgress(`${megabytes} MB`);
  const work = (): Promise<unknown> => whileAllRun(transfer(port, 'down', megabytes * MB, { hasDigest: false }));
  const costs = await cost(processes, megabytes * MB, work);
  return ['bytes', `${megabytes} MB`, ...costs, (await resident(processes)) / MB];
}

function byDelay(kind: TunnelKind, delay: number): Promise<Cell[]> {
  showProgress(`${2 * delay} ms`);
  return inLab(async (lab) => {
    await lab.set('alice', { delay, rate: RATE });
    const { host, port, processes } = await openWay(kind, lab, await startLabService(lab));
    const program = join(ROOT, 'dist/bench/support/link-visit.js');
    const command = [process.execPath, program, host, port, 'down', DELAYED_BYTES, 1, 0].map(String);
    const costs = await cost(processes, DELAYED_BYTES, () => lab.exec('alice', ...command));
    return ['delays', `${2 * delay} ms, ${RATE} Mbit/s`, ...costs, (await resident(processes)) / MB];
  });
}

const [only = '', largest = '1000'] = benchmarkArguments;
const isWanted = (curve: string): boolean => curve.startsWith(only);
await runBenchmark('Cost by bytes and delay', async (save) => {
  const rows: Cell[][] = [];
  const notes: string[] = [];
  const table = { columns: COLUMNS, rows, notes };
  const add = (row: Cell[]): void => {
    rows.push(row);
    save(table);
  };
  if (isWanted('bytes')) {
    const ends = await startPair();
    for (const size of SIZES.filter((megabytes) => megabytes <= Number(largest))) add(await bySize(ends, size));
  }
  const missing = LAB_REQUIREMENTS.filter(({ isMet }) => !isMet).map(({ reason }) => reason);
  const ours = TUNNEL_KINDS.find(({ name }) => name === 'ours') as TunnelKind;
  if (isWanted('delays')) {
    if (missing.length > 0) notes.push(`Delays are left out: ${missing.join('; ')}.`);
    else for (const delay of DELAYS) add(await byDelay(ours, delay));
  }
  return table;
});
process.exit();
