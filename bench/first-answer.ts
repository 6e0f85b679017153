/**
 * Time to the answer of a service on another host of the lab, at 40 ms, for a program that speaks first: from connect() to the answer,
 * through a tunnel that is up, for the first connection and for later ones.
 *
 *     node dist/bench/first-answer.js [later connections, 30 by default] [the beginning of one tunnel's name]
 */
import { join } from 'node:path';
import { ROOT } from '../test/support/processes.js';
import { inLab } from './support/bench-lab.js';
import { openWay, sortOut, startLabService, TUNNEL_KINDS, type TunnelKind } from './support/link-tunnels.js';
import { benchmarkArguments, inOneLine, runBenchmark } from './support/output.js';
import { showProgress } from './support/progress.js';
import type { Cell } from './support/results.js';
import { least, median, most } from './support/statistics.js';

const [connections = '30', only = ''] = benchmarkArguments;
/** ms, one way. */
const DELAY = 20;
/** ms between two connections. */
const PAUSE = 100;
const PATIENCE = 60_000;

/** ms of each connection. */
function measure(kind: TunnelKind): Promise<number[]> {
  return inLab(async (lab) => {
    await lab.set('alice', { delay: DELAY });
    const { host, port } = await openWay(kind, lab, await startLabService(lab));
    const program = join(ROOT, 'dist/bench/support/link-visit.js');
    const words = [host, port, 'answer', Number(connections) + 1, PAUSE].map(String);
    const visit = lab.start('alice', 'visit', [process.execPath, program, ...words]);
    await visit.waitFor(new RegExp(`(?:^[0-9.]+\\n){${Number(connections) + 1}}`, 'm'), PATIENCE);
    return visit.stdout.trim().split('\n').map(Number);
  });
}

await runBenchmark('Time to the answer of a program that speaks first', async (save) => {
  const { able, notes } = sortOut(TUNNEL_KINDS.filter(({ name }) => name.startsWith(only)));
  const rows: Cell[][] = [];
  const columns = [
    { name: 'by' },
    ...['first', 'later, median', 'least', 'most'].map((name) => ({ name, unit: 'ms' })),
  ];
  const table = { columns, rows, notes: [`A round trip takes ${2 * DELAY} ms.`, ...notes] };
  for (const kind of able) {
    showProgress(kind.name);
    try {
      const [first = Number.NaN, ...later] = await measure(kind);
      rows.push([kind.name, first, median(later), least(later), most(later)]);
    } catch (error) {
      notes.push(`${kind.name}: ${inOneLine(error)}`);
    }
    save(table);
  }
  return table;
});
process.exit();
