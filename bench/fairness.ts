/**
 * Who gets how much of one bottleneck of 50 Mbit/s and 40 ms, with a queue of one and of four products of rate and round trip: eight
 * tunnels of one peer, and two peers beside a transfer by kernel TCP, with CUBIC and with BBR. MB/s of payload, the first
 * seconds not counted; on the way up, what the senders were let have.
 *
 *     node dist/bench/fairness.js [whose tunnels: the beginning of a name, ours by default] [seconds, 15 by default]
 */
import { join } from 'node:path';
import type { Lab } from '../test/support/lab.js';
import { ROOT } from '../test/support/processes.js';
import { inLab, useCongestionControl } from './support/bench-lab.js';
import { short } from './support/figures.js';
import { sortOut, startLabService, TUNNEL_KINDS, type TunnelKind, type Way } from './support/link-tunnels.js';
import { benchmarkArguments, inOneLine, runBenchmark } from './support/output.js';
import { showProgress } from './support/progress.js';
import type { Cell, Column } from './support/results.js';

const RATE = 50;
const ROUND_TRIP = 40;
/** ms of the queue; a product lasts as long as a round trip. */
const QUEUES = [ROUND_TRIP, 4 * ROUND_TRIP];
const DIRECTIONS = ['down', 'up'] as const;
const TUNNELS = 8;
const PEERS = 2;
/** Seconds until rates have settled. */
const SKIPPED = 5;
/** Part of its fair share that each has to get, and Jain's index of tunnels of one peer. */
const LEAST_PART = 1 / 3;
const LEAST_INDEX = 0.95;
const COLUMNS: readonly Column[] = [
  { name: 'bottleneck' },
  { name: 'who' },
  { name: 'way' },
  { name: 'each', unit: 'MB/s' },
  { name: 'measured' },
  { name: 'target' },
];

const [name = 'ours', seconds = '15'] = benchmarkArguments;

/** 1 when all get the same, 1/n when one gets all (Jain, Chiu, Hawe 1984). */
function jainIndex(rates: readonly number[]): number {
  const sum = rates.reduce((total, rate) => total + rate, 0);
  const squares = rates.reduce((total, rate) => total + rate * rate, 0);
  return (sum * sum) / (rates.length * squares);
}

/** The least rate as a part of what each would have if all had the same. */
function leastPart(rates: readonly number[]): number {
  const sum = rates.reduce((total, rate) => total + rate, 0);
  return Math.min(...rates) / (sum / rates.length);
}

/** MB/s of transfers at once, by their ways. */
async function load(lab: Lab, direction: string, ways: readonly Way[]): Promise<number[]> {
  const program = join(ROOT, 'dist/bench/support/link-load.js');
  const places = ways.map(({ host, port }) => `${host}:${port}`);
  return JSON.parse(await lab.exec('alice', process.execPath, program, direction, `${SKIPPED}`, seconds, ...places));
}

const verdict = (value: number, least: number): Cell[] => {
  const text = `>= ${short(least)}`;
  return [short(value), `${text} ${value >= least ? 'ok' : 'MISSED'}`];
};

/** Rows of one queue. @param add takes a row when it is measured */
async function contend(kind: TunnelKind, queue: number, add: (row: Cell[]) => void): Promise<void> {
  const link = `${RATE} Mbit/s, ${ROUND_TRIP} ms, queue ${queue} ms`;
  await inLab(async (lab) => {
    await lab.set('alice', { delay: ROUND_TRIP / 2, rate: RATE, queue });
    const service = await startLabService(lab);
    const connect = await kind.serve(lab, service);
    const peers: Way[] = [];
    for (let peer = 0; peer < PEERS; peer += 1) {
      const way = await connect(peer);
      await way.settled?.();
      peers.push(way);
    }
    const [first] = peers as [Way];
    const tcp: Way = { host: await lab.addressOf('bob'), port: service.openPort, processes: [] };
    for (const direction of DIRECTIONS) {
      showProgress(`queue ${queue} ms, ${direction}: ${TUNNELS} tunnels`);
      const tunnels = await load(
        lab,
        direction,
        Array.from({ length: TUNNELS }, () => first),
      );
      const who = `${TUNNELS} tunnels of one peer`;
      add([link, who, direction, tunnels, ...verdict(jainIndex(tunnels), LEAST_INDEX)]);
      for (const algorithm of ['cubic', 'bbr']) {
        showProgress(`queue ${queue} ms, ${direction}: beside ${algorithm}`);
        await useCongestionControl(lab, algorithm);
        const rates = await load(lab, direction, [...peers, tcp]);
        const all = rates.map(short).join(', ');
        const contest = `${PEERS} peers, kernel TCP (${algorithm})`;
        add([link, contest, direction, all, ...verdict(leastPart(rates), LEAST_PART)]);
      }
    }
  });
}

await runBenchmark('Shares of a bottleneck', async (save) => {
  const { able, notes } = sortOut(TUNNEL_KINDS.filter((kind) => kind.name.startsWith(name)));
  const measured = 'Measured: Jain’s index of the tunnels; next to TCP the smallest part of a fair share.';
  const rows: Cell[][] = [];
  const table = { columns: COLUMNS, rows, notes: [measured, ...notes] };
  for (const kind of able) {
    for (const queue of QUEUES) {
      const add = (row: Cell[]): void => {
        rows.push(row);
        save(table);
      };
      try {
        await contend(kind, queue, add);
      } catch (error) {
        table.notes.push(`${kind.name}, queue ${queue} ms: ${inOneLine(error)}`);
      }
    }
  }
  return table;
});
process.exit();
