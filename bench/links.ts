/**
 * Transfers over links as people have them, in the lab of test/lab: three each way in one session, the first apart from the later
 * ones, by our tunnel, the others' and TCP itself in turn (support/link-tunnels). A session has only one first transfer each way, so
 * our tunnel and HyperDHT, which are compared, have further sessions, in turn, of one each way. MB/s of payload, start-up included.
 *
 *     node dist/bench/links.js [the beginning of a link's name, or nothing for all] [those of the tunnels to measure, with commas]
 */
import { join } from 'node:path';
import type { LinkSettings } from '../test/support/lab.js';
import { ROOT } from '../test/support/processes.js';
import { inLab, joinByCable } from './support/bench-lab.js';
import { openWay, sortOut, startLabService, TUNNEL_KINDS, type TunnelKind } from './support/link-tunnels.js';
import { benchmarkArguments, inOneLine, runBenchmark } from './support/output.js';
import { showProgress } from './support/progress.js';
import type { Cell, Column } from './support/results.js';
import { median } from './support/statistics.js';

interface Link {
  readonly name: string;
  /** Of alice's link, both ways unless there is another for the way up. */
  readonly settings: LinkSettings;
  readonly up?: LinkSettings;
  /** No emulator is between them. */
  readonly isCable?: true;
  readonly bytes: number;
  readonly upBytes?: number;
  /** Both ways at once. */
  readonly isBoth?: boolean;
  readonly marks: Marks;
}

interface Marks {
  /** The least ratio to HyperDHT of the first transfer, and of later ones. */
  readonly hyperdht: readonly [first: number, later: number];
  /** The least part of the limit. */
  readonly limit?: number;
}

const MB = 1e6;
const marks = (hyperdht: number, limit?: number): Marks => ({
  hyperdht: [hyperdht, hyperdht],
  ...(limit !== undefined && { limit }),
});
const HOME = {
  settings: { delay: 30, rate: 30, queue: 1000 },
  up: { delay: 30, rate: 5, queue: 1000 },
  upBytes: 4 * MB,
  marks: marks(1, 0.9),
};
const LINKS: readonly Link[] = [
  { name: '40 ms', settings: { delay: 20 }, bytes: 60 * MB, marks: { hyperdht: [1, 1.25] } },
  { name: '40 ms, 5 MB', settings: { delay: 20 }, bytes: 5 * MB, marks: marks(1.2) },
  { name: '100 Mbit/s, 50 ms', settings: { delay: 25, rate: 100 }, bytes: 30 * MB, marks: marks(1.05, 0.92) },
  {
    name: '100 Mbit/s, 50 ms, 1 % loss',
    settings: { delay: 25, rate: 100, loss: 1 },
    bytes: 30 * MB,
    marks: marks(1, 0.9),
  },
  {
    name: '10 Mbit/s, 300 ms, 3 % loss',
    settings: { delay: 150, rate: 10, loss: 3, burst: 3 },
    bytes: 8 * MB,
    marks: marks(1.7, 0.8),
  },
  {
    name: '20 Mbit/s, 80 ms, 0.1 % loss',
    settings: { delay: 40, rate: 20, loss: 0.1, queue: 200 },
    bytes: 10 * MB,
    marks: marks(1, 0.95),
  },
  { name: '1 Gbit/s, 2 ms', settings: { delay: 1, rate: 1000 }, bytes: 100 * MB, marks: marks(1.1) },
  { name: 'home line', ...HOME, bytes: 15 * MB },
  // As long either way: 30 Mbit/s down, 5 up.
  { name: 'home line, both ways', ...HOME, bytes: 24 * MB, isBoth: true },
  { name: 'no limit', settings: {}, bytes: 200 * MB, marks: marks(1.25) },
  { name: 'plain veth', settings: {}, isCable: true, bytes: 300 * MB, marks: marks(1.4) },
];
/** Transfers each way in the first session; each further one has one. */
const TURNS = 3;
const PAUSE = 3000;
/** Sessions of each tunnel that is compared, all with new processes. */
const SESSIONS = 3;
const COMPARED = ['HyperDHT', 'ours'];
const SUPPORT = join(ROOT, 'dist/bench/support');
const LIMIT = 'limit';
const COLUMNS: readonly Column[] = [
  { name: 'link' },
  { name: 'by' },
  ...['down, first', 'down, later', 'up, first', 'up, later'].map((name) => ({ name, unit: 'MB/s' })),
];

/** A session: MB/s of each turn. */
interface Session {
  readonly down: readonly number[];
  readonly up: readonly number[];
}

function measure(kind: TunnelKind, link: Link, turns: number): Promise<Session> {
  return inLab(async (lab) => {
    if (Object.keys(link.settings).length > 0) await lab.set('alice', link.settings);
    if (link.up !== undefined) await lab.set('alice', link.up, 'up');
    if (link.isCable) await joinByCable(lab);
    const way = await openWay(kind, lab, await startLabService(lab));
    const visit = async (direction: 'down' | 'up', bytes: number): Promise<number[]> => {
      const script = [process.execPath, join(SUPPORT, 'link-visit.js'), way.host, way.port, direction];
      const printed = await lab.exec('alice', ...[...script, bytes, turns, PAUSE].map(String));
      return printed
        .trim()
        .split('\n')
        .map((ms) => bytes / 1000 / Number(ms));
    };
    const down = (): Promise<number[]> => visit('down', link.bytes);
    const up = (): Promise<number[]> => visit('up', link.upBytes ?? link.bytes);
    if (!link.isBoth) return { down: await down(), up: await up() };
    const [downs, ups] = await Promise.all([down(), up()]);
    return { down: downs, up: ups };
  });
}

/** The medians of the first transfers of all sessions, and of the later ones. */
function rowOf(link: Link, by: string, sessions: readonly Session[]): Cell[] {
  const mediansOf = (way: readonly (readonly number[])[]): Cell[] => {
    const later = way.flatMap(([, ...others]) => others);
    return [median(way.map(([first = 0]) => first)), later.length === 0 ? null : median(later)];
  };
  return [link.name, by, ...mediansOf(sessions.map(({ down }) => down)), ...mediansOf(sessions.map(({ up }) => up))];
}

/** What the link lets through, headers included; undefined without a limit. */
function limitOf({ settings, up }: Link): Session | undefined {
  if (settings.rate === undefined) return undefined;
  const all = (rate: number): number[] => Array.from({ length: TURNS }, () => rate / 8);
  return { down: all(settings.rate), up: all(up?.rate ?? settings.rate) };
}

/** What ours is of HyperDHT's and of the limit, and what it should be. */
function quotients(link: Link, rows: readonly Cell[][]): Cell[][] {
  const find = (name: string): Cell[] | undefined => rows.find(([, by]) => by === name);
  const ours = find('ours');
  const compare = (name: string, [first, later]: readonly [number, number]): Cell[][] => {
    const other = find(name);
    if (ours === undefined || other === undefined) return [];
    const values = ours.slice(2).map((value, index) => (Number(value) / Number(other[index + 2])).toFixed(2));
    const least = [first, later, first, later].map((value) => value.toFixed(2));
    return [
      [link.name, `ours / ${name}`, ...values],
      [link.name, '  at least', ...least],
    ];
  };
  const { hyperdht, limit } = link.marks;
  return [...compare('HyperDHT', hyperdht), ...(limit === undefined ? [] : compare(LIMIT, [limit, limit]))];
}

async function rowsOf(link: Link, kinds: readonly TunnelKind[], notes: string[]): Promise<Cell[][]> {
  const sessions = new Map<TunnelKind, Session[]>(kinds.map((kind) => [kind, []]));
  for (let session = 0; session < SESSIONS; session += 1) {
    for (const [kind, done] of sessions) {
      if (session > 0 && !COMPARED.includes(kind.name)) continue;
      showProgress(`${link.name}: ${kind.name}`);
      try {
        done.push(await measure(kind, link, session === 0 ? TURNS : 1));
      } catch (error) {
        notes.push(`${link.name}, ${kind.name}: ${inOneLine(error)}`);
      }
    }
  }
  const limit = limitOf(link);
  const measured = [...sessions].filter(([, done]) => done.length > 0);
  const rows = [
    ...(limit === undefined ? [] : [rowOf(link, LIMIT, [limit])]),
    ...measured.map(([{ name }, done]) => rowOf(link, name, done)),
  ];
  return [...rows, ...quotients(link, rows)];
}

const [beginning = '', only = ''] = benchmarkArguments;
await runBenchmark('Transfers by link', async (save) => {
  const rows: Cell[][] = [];
  const wanted = TUNNEL_KINDS.filter(({ name }) => only.split(',').some((one) => name.startsWith(one)));
  const { able, notes } = sortOut(wanted);
  const table = { columns: COLUMNS, rows, notes };
  for (const link of LINKS.filter(({ name }) => name.startsWith(beginning))) {
    rows.push(...(await rowsOf(link, able, notes)));
    save(table);
  }
  return table;
});
process.exit();
