/**
 * Transfers over links as people have them, in the lab of test/lab: three each way on one session, the first apart from the later
 * ones, by our tunnel, the others' and TCP itself in turn (support/link-tunnels). MB/s of payload, start-up included.
 *
 *     node dist/bench/links.js [the beginning of a link's name, or nothing for all] [that of the one tunnel to measure]
 */
import { join } from 'node:path';
import { messageOf } from '../src/base/coded-error.js';
import { Lab, type LinkSettings } from '../test/support/lab.js';
import { ROOT } from '../test/support/processes.js';
import { openWay, sortOut, startLabService, TUNNEL_KINDS, type TunnelKind } from './support/link-tunnels.js';
import { benchmarkArguments, runBenchmark } from './support/output.js';
import { showProgress } from './support/progress.js';
import type { Cell, Column } from './support/results.js';
import { median } from './support/statistics.js';

interface Link {
  readonly name: string;
  /** Of alice's link, both ways unless there is another for the way up. */
  readonly settings: LinkSettings & { readonly burst?: number; readonly queue?: number };
  readonly up?: LinkSettings & { readonly queue?: number };
  readonly bytes: number;
  readonly upBytes?: number;
}

const MB = 1e6;
const LINKS: readonly Link[] = [
  { name: '40 ms', settings: { delay: 20 }, bytes: 60 * MB },
  { name: '40 ms, 5 MB', settings: { delay: 20 }, bytes: 5 * MB },
  { name: '100 Mbit/s, 50 ms', settings: { delay: 25, rate: 100 }, bytes: 30 * MB },
  { name: '100 Mbit/s, 50 ms, 1 % loss', settings: { delay: 25, rate: 100, loss: 1 }, bytes: 30 * MB },
  { name: '10 Mbit/s, 300 ms, 3 % loss', settings: { delay: 150, rate: 10, loss: 3, burst: 3 }, bytes: 8 * MB },
  { name: '20 Mbit/s, 80 ms, 0.1 % loss', settings: { delay: 40, rate: 20, loss: 0.1, queue: 200 }, bytes: 10 * MB },
  { name: '1 Gbit/s, 2 ms', settings: { delay: 1, rate: 1000 }, bytes: 100 * MB },
  {
    name: 'home line',
    settings: { delay: 30, rate: 30, queue: 1000 },
    up: { delay: 30, rate: 5, queue: 1000 },
    bytes: 15 * MB,
    upBytes: 4 * MB,
  },
  { name: 'no limit', settings: {}, bytes: 200 * MB },
];
const TURNS = 3;
const PAUSE = 3000;
const SUPPORT = join(ROOT, 'dist/bench/support');
const LIMIT = 'limit';
const COLUMNS: readonly Column[] = [
  { name: 'link' },
  { name: 'by' },
  ...['down, first', 'later', 'up, first', 'later'].map((name) => ({ name, unit: 'MB/s' })),
];

interface Result {
  /** MB/s of each turn. */
  readonly down: readonly number[];
  readonly up: readonly number[];
}

async function measure(kind: TunnelKind, link: Link): Promise<Result> {
  const downs: (() => Promise<void>)[] = [];
  const owner = { teardown: (down: () => Promise<void>) => downs.push(down) };
  try {
    const lab = await Lab.up(owner, { topology: 'wan' });
    if (Object.keys(link.settings).length > 0) await lab.set('alice', link.settings);
    if (link.up !== undefined) await lab.set('alice', link.up, 'up');
    const way = await openWay(kind, lab, await startLabService(lab));
    const visit = async (direction: 'down' | 'up', bytes: number): Promise<number[]> => {
      const script = [process.execPath, join(SUPPORT, 'link-visit.js'), way.host, way.port, direction];
      const printed = await lab.exec('alice', ...[...script, bytes, TURNS, PAUSE].map(String));
      return printed
        .trim()
        .split('\n')
        .map((ms) => bytes / 1000 / Number(ms));
    };
    return { down: await visit('down', link.bytes), up: await visit('up', link.upBytes ?? link.bytes) };
  } finally {
    for (const down of downs) await down();
  }
}

const rowOf = (link: Link, by: string, { down, up }: Result): Cell[] => [
  link.name,
  by,
  ...[down, up].flatMap(([first = null, ...later]) => [first, later.length === 0 ? null : median(later)]),
];

/** What the link lets through, headers included; undefined without a limit. */
function limitOf({ settings, up }: Link): Result | undefined {
  if (settings.rate === undefined) return undefined;
  const all = (rate: number): number[] => Array.from({ length: TURNS }, () => rate / 8);
  return { down: all(settings.rate), up: all(up?.rate ?? settings.rate) };
}

/** Of the first transfers, and of the medians of the later ones. */
const quotient = (link: Link, by: string, one: readonly Cell[], other: readonly Cell[]): Cell[] => [
  link.name,
  by,
  ...one.slice(2).map((value, index) => (Number(value) / Number(other[index + 2])).toFixed(2)),
];

async function rowsOf(link: Link, kinds: readonly TunnelKind[], notes: string[]): Promise<Cell[][]> {
  const limit = limitOf(link);
  const rows = limit === undefined ? [] : [rowOf(link, LIMIT, limit)];
  for (const kind of kinds) {
    showProgress(`${link.name}: ${kind.name}`);
    try {
      rows.push(rowOf(link, kind.name, await measure(kind, link)));
    } catch (error) {
      notes.push(`${link.name}, ${kind.name}: ${messageOf(error).split('\n')[0]}`);
    }
  }
  const [ours, ...others] = ['ours', 'HyperDHT', LIMIT].map((name) => rows.find(([, by]) => by === name));
  const quotients = others.flatMap((other) =>
    ours && other ? [quotient(link, `ours / ${other[1]}`, ours, other)] : [],
  );
  return [...rows, ...quotients];
}

const [beginning = '', only = ''] = benchmarkArguments;
await runBenchmark('Transfers by link', async (save) => {
  const rows: Cell[][] = [];
  const wanted = TUNNEL_KINDS.filter(({ name }) => name.startsWith(only));
  const { able, notes } = sortOut(wanted);
  const table = { columns: COLUMNS, rows, notes };
  for (const link of LINKS.filter(({ name }) => name.startsWith(beginning))) {
    rows.push(...(await rowsOf(link, able, notes)));
    save(table);
  }
  return table;
});
process.exit();
