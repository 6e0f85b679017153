/**
 * What many tunnels cost, between two hosts that are joined by a cable: of so many connections through one client, a hundred at the
 * most carry equal parts of some bytes at once, and the others stay open. Memory is of both ends together, when the bytes have gone;
 * processor time is that of both ends for these bytes. The programs that send and receive are not counted, nor is the kernel's TCP.
 *
 *     node dist/bench/tunnels.js [MB in all, 200 by default] [the beginning of one tunnel's name]
 */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ROOT } from '../test/support/processes.js';
import { inLab, joinByCable } from './support/bench-lab.js';
import { atMost } from './support/figures.js';
import { openWay, sortOut, startLabService, TUNNEL_KINDS, type TunnelKind } from './support/link-tunnels.js';
import { benchmarkArguments, inOneLine, runBenchmark } from './support/output.js';
import { memoryOf } from './support/private-network.js';
import { showProgress } from './support/progress.js';
import type { Cell, Column } from './support/results.js';
import { family, processorSeconds } from './support/usage.js';

const [megabytes = '200', only = ''] = benchmarkArguments;
const COUNTS = [1, 10, 100, 1000];
const MOST_BUSY = 100;
const MB = 1e6;
const GB = 1e9;
/** Of one of our processes with the most tunnels, MB. */
const LIMIT = 150;
/** ms; a guard against hanging. */
const PATIENCE = 120_000;
/** ms in which what is collected after a transfer is. */
const REST = 1000;
const COLUMNS: readonly Column[] = [
  { name: 'tunnels' },
  { name: 'by' },
  { name: 'rate', unit: 'MB/s' },
  { name: 'slowest / fastest' },
  { name: 'resident', unit: 'MB' },
  { name: 'larger end', unit: 'MB' },
  { name: 'processor', unit: 's for 1 GB' },
];

interface Cost {
  readonly row: Cell[];
  /** Of the larger end, MB. */
  readonly largest: number;
}

function measure(kind: TunnelKind, count: number): Promise<Cost> {
  return inLab(async (lab) => {
    await joinByCable(lab);
    const way = await openWay(kind, lab, await startLabService(lab));
    const busy = Math.min(count, MOST_BUSY);
    const bytes = Math.round((Number(megabytes) * MB) / busy);
    const program = [process.execPath, join(ROOT, 'dist/bench/support/link-crowd.js')];
    const words = [way.host, way.port, count, busy, bytes].map(String);
    const crowd = lab.start('alice', 'crowd', [...program, ...words]);
    await crowd.waitFor(/^open /m, PATIENCE);
    const move = async (round: number): Promise<number[]> => {
      crowd.child.stdin.write('\n');
      const pattern = new RegExp(`(?:^moved .*\\n){${round}}`, 'm');
      const lines = (await crowd.waitFor(pattern, PATIENCE))[0].trim().split('\n');
      return (lines.at(-1) as string).split(' ').slice(1).map(Number);
    };
    // The first one runs code that is not compiled yet, on an unknown path.
    await move(1);
    const members = way.processes.flatMap(family);
    const used = (): number => members.reduce((sum, one) => sum + processorSeconds(one), 0);
    const before = used();
    const [all = 0, fastest = 0, slowest = 0] = await move(2);
    const seconds = used() - before;
    await sleep(REST);
    const sizes = members.map((one) => (memoryOf(one)?.resident ?? Number.NaN) / MB);
    const resident = sizes.reduce((sum, size) => sum + size, 0);
    const largest = Math.max(...sizes);
    const moved = busy * bytes;
    const ratio = slowest / fastest;
    const cost = (seconds * GB) / moved;
    return { row: [String(count), kind.name, moved / 1000 / all, ratio, resident, largest, cost], largest };
  });
}

await runBenchmark('Memory and processor by tunnels', async (save) => {
  // Without a process of its own there is nothing to measure.
  const wanted = TUNNEL_KINDS.filter(({ name }) => name !== 'kernel TCP' && name.startsWith(only));
  const { able, notes } = sortOut(wanted);
  const rows: Cell[][] = [];
  const table = { columns: COLUMNS, rows, notes };
  for (const count of COUNTS) {
    for (const kind of able) {
      showProgress(`${count} tunnels: ${kind.name}`);
      try {
        const { row, largest } = await measure(kind, count);
        rows.push(row);
        const mark = atMost(largest, LIMIT, 'MB');
        if (kind.name === 'ours' && count === COUNTS.at(-1))
          notes.push(`One end of ours with ${count} tunnels: ${mark.text} ${mark.isReached ? 'ok' : 'MISSED'}`);
      } catch (error) {
        notes.push(`${count} tunnels, ${kind.name}: ${inOneLine(error)}`);
      }
      save(table);
    }
  }
  return table;
});
process.exit();
