/**
 * Time to the first byte in every kind of network of the lab (test/lab), from exec of a client with a new identity that knows
 * one node, or none in a LAN. Each run has a lab, a node and a server of its own, so that nothing remembers the run before.
 *
 *     node dist/bench/reach.js [runs, 5 unless told] [the beginning of a topology's name]
 */
import { DIRECT_TOPOLOGIES, type Topology } from '../test/lab/topologies.js';
import { GATEWAY_REQUIREMENT, LAB_REQUIREMENTS, Lab } from '../test/support/lab.js';
import { LabTunnel, startNodeAtHub } from '../test/support/lab-tunnel.js';
import { atMost, type Figure, spread } from './support/figures.js';
import { runBenchmark } from './support/output.js';
import { showProgress } from './support/progress.js';
import { median } from './support/statistics.js';

const runs = Number(process.argv[2] ?? 5);
const beginning = process.argv[3] ?? '';
/** ms, one way, of alice's and of bob's link: 20 ms from one to the other and back. */
const DELAY = 5;
/** ms that the server is up before the client comes. */
const UPTIME = 2_000;
const LENGTH = 1_000;

async function firstByte({ options, hasBootstrapNode }: Topology): Promise<number> {
  const downs: (() => Promise<void>)[] = [];
  const lab = await Lab.up({ teardown: (down) => downs.push(down) }, { delay: DELAY, ...options });
  try {
    const args = hasBootstrapNode ? ['--bootstrap', await startNodeAtHub(lab)] : [];
    const tunnel = await LabTunnel.start(lab, { args, length: LENGTH });
    await new Promise((resolve) => setTimeout(resolve, UPTIME));
    return (await tunnel.download()).firstByte / 1000;
  } finally {
    for (const down of downs) await down();
  }
}

await runBenchmark(async () => {
  const missing = [...LAB_REQUIREMENTS, GATEWAY_REQUIREMENT].filter(({ isMet }) => !isMet).map(({ reason }) => reason);
  if (missing.length > 0) return [{ what: 'the lab', measured: 'left out', note: missing.join('; ') }];
  const figures: Figure[] = [];
  for (const topology of DIRECT_TOPOLOGIES.filter(({ name }) => name.startsWith(beginning))) {
    const times: number[] = [];
    while (times.length < runs) {
      showProgress(`${topology.name}: run ${times.length + 1} of ${runs}`);
      times.push(await firstByte(topology));
    }
    const mark = atMost(median(times), topology.mark / 1000, 's');
    figures.push({ what: topology.name, measured: spread(times, 's'), mark });
  }
  return figures;
});
