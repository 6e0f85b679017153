/**
 * Transfers over links as people have them, in the lab of test/lab: three each way on one session, the first apart from the later
 * ones, by our tunnel, HyperDHT's and TCP itself in turn. MB/s of payload, start-up included.
 *
 *     node dist/bench/links.js [the beginning of a link's name, or nothing for all]
 */
import { join } from 'node:path';
import { messageOf } from '../src/base/coded-error.js';
import { LAB_REQUIREMENTS, Lab, type LinkSettings } from '../test/support/lab.js';
import { ROOT } from '../test/support/processes.js';
import { TUNNEL_KINDS, type TunnelKind } from './support/link-tunnels.js';
import { showProgress } from './support/progress.js';
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
    const startService = async (...args: readonly string[]): Promise<number> => {
      const service = lab.start('bob', 'service', [process.execPath, join(SUPPORT, 'service.js'), ...args]);
      return Number((await service.waitFor(/^\d+$/m))[0]);
    };
    const port = await startService();
    const openPort = await startService(await lab.addressOf('bob'));
    const way = await kind.start(lab, { port, openPort });
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

const short = (values: readonly number[]): string =>
  values.map((value) => value.toFixed(value < 20 ? 2 : 0)).join(', ');
/** Ratio of first transfers, and of the median of later ones. */
const ratios = (one: readonly number[], other: readonly number[]): string =>
  `${((one[0] ?? 0) / (other[0] ?? 1)).toFixed(2)} / ${(median(one.slice(1)) / median(other.slice(1))).toFixed(2)}`;

const missing = LAB_REQUIREMENTS.filter(({ isMet }) => !isMet).map(({ reason }) => reason);
if (missing.length > 0) console.log(`left out: ${missing.join('; ')}`);
const [beginning = '', only = ''] = process.argv.slice(2);
for (const link of missing.length > 0 ? [] : LINKS.filter(({ name }) => name.startsWith(beginning))) {
  console.log(link.name);
  const results = new Map<string, Result>();
  for (const kind of TUNNEL_KINDS.filter(({ name }) => name.startsWith(only))) {
    showProgress(`${link.name}: ${kind.name}`);
    try {
      const result = await measure(kind, link);
      results.set(kind.name, result);
      console.log(`  ${kind.name.padEnd(9)} down ${short(result.down)}; up ${short(result.up)}`);
    } catch (error) {
      console.log(`  ${kind.name.padEnd(9)} ${messageOf(error)}`);
    }
  }
  const [ours, peer] = [results.get('ours'), results.get('HyperDHT')];
  if (ours && peer) console.log(`  ratio     down ${ratios(ours.down, peer.down)}; up ${ratios(ours.up, peer.up)}`);
}
process.exit();
