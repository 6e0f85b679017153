/**
 * The processor time that both ends of a tunnel use together for 1 GB each way, between two hosts that are joined by a cable alone:
 * by HyperDHT, by us with the addon for sockets, and by us with Node's sockets. The programs that send and receive are not counted.
 *
 *     node dist/bench/processor.js [MB, 1000 by default] [rounds, 1 by default]
 */
import { join } from 'node:path';
import { ROOT } from '../test/support/processes.js';
import { inLab, joinByCable } from './support/bench-lab.js';
import { openWay, sortOut, startLabService, type TunnelKind, WITH_AND_WITHOUT_NATIVE } from './support/link-tunnels.js';
import { benchmarkArguments, inOneLine, runBenchmark } from './support/output.js';
import { showProgress } from './support/progress.js';
import type { Cell, Column } from './support/results.js';
import { median } from './support/statistics.js';
import { processorSeconds } from './support/usage.js';

const MB = 1e6;
const GB = 1e9;
const DIRECTIONS = ['down', 'up'] as const;
/** Bytes that go first, so that code is compiled and rates are known. */
const WARM_UP = 100 * MB;
const COLUMNS: readonly Column[] = [
  { name: 'by' },
  ...DIRECTIONS.flatMap((direction) => [
    { name: direction, unit: 'MB/s' },
    { name: 'processor', unit: 's for 1 GB' },
  ]),
  { name: 'resident', unit: 'MB' },
  { name: 'processor / HyperDHT’s' },
];

const [megabytes = 1000, rounds = 1] = benchmarkArguments.map(Number);
const bytes = megabytes * MB;

interface Cost {
  /** MB/s, and seconds for 1 GB, of each direction. */
  readonly rates: readonly number[];
  readonly seconds: readonly number[];
  /** Bytes of both ends together, at the end. */
  readonly resident: number;
}

function measure(kind: TunnelKind): Promise<Cost> {
  return inLab(async (lab) => {
    await joinByCable(lab);
    const way = await openWay(kind, lab, await startLabService(lab));
    const used = (): number => way.processes.reduce((sum, process) => sum + processorSeconds(process), 0);
    const visit = async (direction: string, length: number): Promise<number> => {
      const program = join(ROOT, 'dist/bench/support/link-visit.js');
      const command = [process.execPath, program, way.host, way.port, direction, length, 1, 0];
      return Number(await lab.exec('alice', ...command.map(String)));
    };
    const rates: number[] = [];
    const seconds: number[] = [];
    for (const direction of DIRECTIONS) {
      await visit(direction, WARM_UP);
      const before = used();
      rates.push(bytes / 1000 / (await visit(direction, bytes)));
      seconds.push(((used() - before) * GB) / bytes);
    }
    const sizes = await Promise.all(way.processes.map((process) => process.resident()));
    return { rates, seconds, resident: sizes.reduce((sum, size) => sum + size, 0) };
  });
}

await runBenchmark('Processor time of a tunnel', async (save) => {
  const { able, notes } = sortOut(WITH_AND_WITHOUT_NATIVE);
  const rows: Cell[][] = [];
  const table = { columns: COLUMNS, rows, notes };
  let peer: number | undefined;
  for (const kind of able) {
    try {
      const costs: Cost[] = [];
      for (let round = 1; round <= rounds; round += 1) {
        showProgress(`${kind.name}: round ${round} of ${rounds}`);
        costs.push(await measure(kind));
      }
      const all = DIRECTIONS.map((_, index) => ({
        rate: median(costs.map(({ rates }) => rates[index] as number)),
        seconds: median(costs.map(({ seconds }) => seconds[index] as number)),
      }));
      const sum = all.reduce((total, { seconds }) => total + seconds, 0);
      if (kind.name === 'HyperDHT') peer = sum;
      const resident = Math.max(...costs.map(({ resident }) => resident)) / MB;
      rows.push([
        kind.name,
        ...all.flatMap(({ rate, seconds }) => [rate, seconds]),
        resident,
        peer === undefined ? null : (sum / peer).toFixed(2),
      ]);
    } catch (error) {
      notes.push(`${kind.name}: ${inOneLine(error)}`);
    }
    save(table);
  }
  return table;
});
process.exit();
