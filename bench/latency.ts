/**
 * Round trips of small messages in the lab, as a person at a terminal sees them: idle, and during a transfer in each direction through the same
 * tunnel. ms. Where the processors are the limit, the first ones of a session, which find code that is not compiled yet, stand apart.
 *
 *     node dist/bench/latency.js [the beginning of a link's name, or nothing for all] [that of the one tunnel to measure]
 */
import { join } from 'node:path';
import type { Lab, LinkSettings } from '../test/support/lab.js';
import { ROOT } from '../test/support/processes.js';
import { inLab, joinByCable } from './support/bench-lab.js';
import { openWay, sortOut, startLabService, TUNNEL_KINDS, type TunnelKind, type Way } from './support/link-tunnels.js';
import { benchmarkArguments, inOneLine, runBenchmark } from './support/output.js';
import { showProgress } from './support/progress.js';
import type { Cell, Column } from './support/results.js';
import { median, quantile } from './support/statistics.js';

interface Link {
  readonly name: string;
  /** Of alice's link; undefined where a cable without an emulator joins the two. */
  readonly settings?: LinkSettings;
  /** Messages while nothing else is sent. */
  readonly idle: number;
  /** Messages before these, in groups: they begin when the session does. */
  readonly early: readonly number[];
  /** Messages beside a transfer; 0 where the processor would be what is measured. */
  readonly busy: number;
}

const LINKS: readonly Link[] = [
  { name: '20 Mbit/s, 40 ms', settings: { delay: 20, rate: 20 }, idle: 60, early: [], busy: 80 },
  { name: 'plain veth', idle: 10_000, early: [200, 1000], busy: 0 },
];
/** ms between messages beside a transfer. */
const PAUSE = 40;
/** Seconds after which a transfer has its rate, and for which it continues at most. */
const SETTLED = 3;
const LONGEST = 60;
const SUPPORT = join(ROOT, 'dist/bench/support');
const COLUMNS: readonly Column[] = [
  { name: 'link' },
  { name: 'by' },
  ...['first 200', 'next 1,000', 'idle', 'beside down', 'beside up'].flatMap((when) =>
    [`${when}, 50 %`, '99 %'].map((name) => ({ name, unit: 'ms' })),
  ),
];
const NOTE = 'Idle on plain veth: the 10,000 messages after the first 1,200.';

async function echoes(lab: Lab, { host, port }: Way, count: number, pause: number): Promise<number[]> {
  const command = [process.execPath, join(SUPPORT, 'link-visit.js'), host, port, 'echo', count, pause];
  return (await lab.exec('alice', ...command.map(String))).trim().split('\n').map(Number);
}

async function besideTransfer(lab: Lab, way: Way, direction: string, count: number): Promise<number[]> {
  const program = [process.execPath, join(SUPPORT, 'link-load.js')];
  const command = [...program, direction, `${SETTLED}`, `${LONGEST}`, `${way.host}:${way.port}`];
  const load = lab.start('alice', 'transfer', command);
  await load.waitFor(/measuring/);
  const times = await echoes(lab, way, count, PAUSE);
  await load.stop();
  return times;
}

const summary = (times: readonly number[]): Cell[] =>
  times.length === 0 ? [null, null] : [median(times), quantile(times, 0.99)];

function measure(kind: TunnelKind, link: Link): Promise<Cell[]> {
  return inLab(async (lab) => {
    if (link.settings === undefined) await joinByCable(lab);
    else await lab.set('alice', link.settings);
    const way = await openWay(kind, lab, await startLabService(lab));
    const early = link.early.reduce((sum, count) => sum + count, 0);
    const idle = await echoes(lab, way, early + link.idle, 0);
    const cells = [0, 1].flatMap((group) => summary(idle.splice(0, link.early[group] ?? 0)));
    cells.push(...summary(idle));
    for (const direction of ['down', 'up']) {
      cells.push(...summary(link.busy === 0 ? [] : await besideTransfer(lab, way, direction, link.busy)));
    }
    return [link.name, kind.name, ...cells];
  });
}

const [beginning = '', only = ''] = benchmarkArguments;
await runBenchmark('Round trips idle and beside a transfer', async (save) => {
  const { able, notes } = sortOut(TUNNEL_KINDS.filter(({ name }) => name.startsWith(only)));
  const rows: Cell[][] = [];
  notes.push(NOTE);
  const table = { columns: COLUMNS, rows, notes };
  for (const link of LINKS.filter(({ name }) => name.startsWith(beginning))) {
    for (const kind of able) {
      showProgress(`${link.name}: ${kind.name}`);
      try {
        rows.push(await measure(kind, link));
      } catch (error) {
        notes.push(`${link.name}, ${kind.name}: ${inOneLine(error)}`);
      }
      save(table);
    }
  }
  return table;
});
process.exit();
