/**
 * Time to the first byte in every kind of network of the lab (test/lab), from exec of a client with a new identity that knows
 * one node, or none in a LAN, and the way by which the bytes go 5 s later, looked at in the last run. Each run has a lab, a node
 * and a server of its own, so that nothing remembers the run before. With a libtoxcore peer the mark is the way alone.
 *
 *     node dist/bench/reach.js [runs, 5 by default] [server | client: libtoxcore's] [the beginning of a topology's name]
 */
import { messageOf } from '../src/base/coded-error.js';
import { startMeeting } from '../test/lab/support/meeting.js';
import { TOPOLOGIES, type Topology } from '../test/lab/topologies.js';
import { C_WORLD } from '../test/support/c-peer.js';
import { GATEWAY_REQUIREMENT, LAB_REQUIREMENTS } from '../test/support/lab.js';
import { mainWay, type Way } from '../test/support/lab-route.js';
import { atMost, type Figure, spread } from './support/figures.js';
import { benchmarkArguments, runBenchmark } from './support/output.js';
import { showProgress } from './support/progress.js';
import { median } from './support/statistics.js';

const [runs = '5', ...rest] = benchmarkArguments;
const libtoxcore = rest[0] === 'server' || rest[0] === 'client' ? (rest.shift() as 'server' | 'client') : undefined;
const [beginning = ''] = rest;
/** ms that the server is up before the client starts. */
const UPTIME = 2_000;
const LENGTH = 1 << 20;
/** ms after the first byte. */
const SETTLING = 5_000;

interface Run {
  /** Seconds. */
  readonly firstByte: number;
  readonly way?: Way | 'none';
}

async function run(topology: Topology, isLast: boolean): Promise<Run> {
  const downs: (() => Promise<void>)[] = [];
  const owner = { teardown: (down: () => Promise<void>) => downs.push(down) };
  try {
    const meeting = await startMeeting(owner, topology, { length: LENGTH, libtoxcore });
    await new Promise((resolve) => setTimeout(resolve, UPTIME));
    if (!isLast) return { firstByte: (await meeting.tunnel.download()).firstByte / 1000 };
    const { first, second, bytes } = await meeting.settled(SETTLING);
    if (!first.isWhole || !second.isWhole) throw new Error(`${topology.name}: what arrived is not what was sent`);
    return { firstByte: first.firstByte / 1000, way: mainWay(bytes) };
  } catch (error) {
    console.error(`${topology.name}: ${messageOf(error)}`);
    return { firstByte: Number.POSITIVE_INFINITY, way: 'none' };
  } finally {
    for (const down of downs) await down();
  }
}

function figure(topology: Topology, results: readonly Run[]): Figure {
  const times = results.map(({ firstByte }) => firstByte);
  const way = results.at(-1)?.way;
  const isRight = way === topology.route;
  const common = { measured: spread(times, 's'), note: way };
  if (libtoxcore === undefined) {
    const mark = atMost(median(times), topology.mark / 1000, 's');
    return { what: topology.name, ...common, mark: { ...mark, isReached: mark.isReached && isRight } };
  }
  return { what: `${topology.name}, C ${libtoxcore}`, ...common, mark: { text: topology.route, isReached: isRight } };
}

await runBenchmark('Time to the first byte, by network', async () => {
  const needed = [...LAB_REQUIREMENTS, GATEWAY_REQUIREMENT, ...(libtoxcore === undefined ? [] : C_WORLD)];
  const missing = needed.filter(({ isMet }) => !isMet).map(({ reason }) => reason);
  if (missing.length > 0) return [{ what: 'the lab', measured: 'left out', note: missing.join('; ') }];
  const figures: Figure[] = [];
  // libtoxcore's peer knows no proxies.
  const able = TOPOLOGIES.filter(({ needs }) => libtoxcore === undefined || needs !== 'proxy');
  for (const topology of able.filter(({ name }) => name.startsWith(beginning))) {
    const results: Run[] = [];
    while (results.length < Number(runs)) {
      showProgress(`${topology.name}: run ${results.length + 1} of ${runs}`);
      results.push(await run(topology, results.length + 1 === Number(runs)));
    }
    figures.push(figure(topology, results));
  }
  return figures;
});
