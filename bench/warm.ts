/**
 * The warm path: a client of a host whose agent is connected already. From exec to the first byte of a service, beside what Node
 * itself needs to start, in turn; and how fast bytes pass from a local port through the client and the agent's socket, without a
 * network behind it (support/hop), beside the tunnel of `throughput`.
 *
 *     node dist/bench/warm.js [runs, 20 by default] [MiB for each transfer, 512 by default]
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  freeTcpPort,
  type Process,
  ROOT,
  startProgram,
  startTuntox,
  temporaryDirectory,
} from '../test/support/processes.js';
import { atLeast, atMost, type Figure, spread } from './support/figures.js';
import { benchmarkArguments, runBenchmark } from './support/output.js';
import { keep, startService, whileAllRun } from './support/private-network.js';
import { showProgress } from './support/progress.js';
import { megabytesPerSecond, transfer } from './support/service-client.js';
import { median } from './support/statistics.js';

const [runs = 20, mebibytes = 512] = benchmarkArguments.map(Number);
/** s from exec to the first byte. */
const FIRST_BYTE_MARK = 0.15;
const MEGABYTES_MARK = 100;
const TRANSFERS = 3;
const TOX_ID = 'E776E9A993EE3CAE04F5946D9AC66FBBAA8C63A95A94B41942353C6DC1739B4B4C762C7DA7B9';

/** A user with one host, which the agent reaches. @returns the home */
async function startUser(port: number): Promise<string> {
  const home = temporaryDirectory();
  const [config, state] = ['.config', '.local/state'].map((name) => join(home, name, 'tuntox'));
  for (const directory of [config, state]) mkdirSync(directory as string, { recursive: true, mode: 0o700 });
  const host = { name: 'nas', tox_id: TOX_ID, pinned_key: TOX_ID.slice(0, 64), added_at: 1_800_000_000 };
  writeFileSync(join(config as string, 'hosts.json'), JSON.stringify({ version: 1, hosts: [host] }));
  const hop = [process.execPath, join(ROOT, 'dist/bench/support/hop.js'), state as string, String(port)];
  await keep(startProgram('agent', hop)).waitFor(/^ready$/m);
  return home;
}

/** s from exec to the first byte on standard output. */
async function firstByte(start: () => Process, pattern: RegExp): Promise<number> {
  const startedAt = performance.now();
  const command = start();
  await command.waitFor(pattern);
  const seconds = (performance.now() - startedAt) / 1000;
  await command.stop();
  return seconds;
}

await runBenchmark('The warm path', async () => {
  const port = await startService();
  const home = await startUser(port);
  const target = `127.0.0.1:${port}`;
  const client = (args: readonly string[]): Process => startTuntox(args, { env: { HOME: home } });
  const times: Record<'node' | 'client', number[]> = { node: [], client: [] };
  for (let run = 1; run <= runs; run += 1) {
    showProgress(`first byte, run ${run} of ${runs}`);
    const node = ['env', '-u', 'NODE_OPTIONS', process.execPath, '-e', 'console.log(1)'];
    times.node.push(await firstByte(() => startProgram('node', node), /1/));
    times.client.push(await firstByte(() => client(['nas', '-W', target]), /hello/));
  }
  const local = await freeTcpPort();
  await keep(client(['nas', '-L', `${local}:${target}`])).waitFor(/listening/);
  const rates: Record<'down' | 'up', number[]> = { down: [], up: [] };
  for (let run = 1; run <= TRANSFERS; run += 1) {
    for (const direction of ['down', 'up'] as const) {
      showProgress(`${direction}, transfer ${run} of ${TRANSFERS}`);
      const work = transfer(local, direction, mebibytes * 2 ** 20, { hasDigest: false });
      rates[direction].push(megabytesPerSecond(await whileAllRun(work)));
    }
  }
  return [
    { what: 'node: first byte', measured: spread(times.node, 's'), note: 'the limit' },
    {
      what: 'tuntox NAME -W: first byte',
      measured: spread(times.client, 's'),
      mark: atMost(median(times.client), FIRST_BYTE_MARK, 's'),
    },
    ...(['down', 'up'] as const).map(
      (direction): Figure => ({
        what: `through the warm hop, ${direction}`,
        measured: spread(rates[direction], 'MB/s'),
        mark: atLeast(median(rates[direction]), MEGABYTES_MARK, 'MB/s'),
      }),
    ),
  ];
});
process.exit();
