/**
 * How nodes of the DHT find each other in networks of many of our nodes, and what it costs each of them, beside the logarithm
 * of their number; then how searches do where datagrams or nodes are bad. Simulated time, repeatable, but for the memory.
 *
 *     node dist/bench/dht-search.js [NODES,NODES... 100,500,2000,10000 by default [NODES of the bad networks, 500; 0 for none]]
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { DhtSearches, type SearchConditions, type SearchOutcome } from '../test/support/dht-searches.js';
import { benchmarkArguments, runBenchmark } from './support/output.js';
import { showProgress } from './support/progress.js';
import type { Cell, Table } from './support/results.js';
import { mean, median, most, quantile } from './support/statistics.js';

const [sizes = '100,500,2000,10000', troubled = '500'] = benchmarkArguments;
const SEARCHES = 300;
/** Larger networks have no key agreements, which would take several minutes; so their memory is not that of real nodes. */
const MOST_WITH_KEYS = 2_000;
/** Of each key that is besieged, so many nodes are made that are nearer than all honest ones: costs a search of thousands of keys. */
const BESIEGED = 20;

const TROUBLES: readonly (readonly [name: string, conditions: Partial<SearchConditions>])[] = [
  ['10 % loss', { loss: 0.1 }],
  ['20 % have just died', { trouble: 'dead', troubled: 0.2 }],
  ['50 % behind cone NATs', { trouble: 'cone', troubled: 0.5 }],
  ['30 % behind symmetric NATs', { trouble: 'symmetric', troubled: 0.3 }],
  ['20 % answer with garbage', { trouble: 'garbage', troubled: 0.2 }],
  ['20 % name nodes that they make up', { trouble: 'made up', troubled: 0.2 }],
  ['20 % collude', { trouble: 'colluding', troubled: 0.2 }],
  ['50 % collude', { trouble: 'colluding', troubled: 0.5 }],
  ['8 colluders nearest to each key', { besiegers: 8, searches: BESIEGED }],
  ['16 colluders nearest to each key', { besiegers: 16, searches: BESIEGED }],
];

setFlagsFromString('--expose_gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** Bytes of this process that are in use. */
function memoryInUse(): number {
  collectGarbage();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

function row(network: string, nodes: number, outcome: SearchOutcome, memory: number | undefined): Cell[] {
  const doublings = Math.log2(nodes);
  const sentAtRest = mean(outcome.sentAtRest);
  return [
    network,
    (outcome.found / outcome.searches) * 100,
    median(outcome.times),
    quantile(outcome.times, 0.99),
    mean(outcome.sent),
    sentAtRest,
    sentAtRest / doublings,
    most(outcome.sentAtRest),
    mean(outcome.stored),
    mean(outcome.stored) / doublings,
    memory === undefined ? null : memory / 1000,
  ];
}

function measure(save: (soFar: Table) => void): Table {
  const rows: Cell[][] = [];
  const add = (cells: Cell[]): void => {
    rows.push(cells);
    save({ columns: COLUMNS, rows });
  };
  for (const nodes of sizes.split(',').map(Number)) {
    const before = memoryInUse();
    const onProgress = (what: string): void => showProgress(`${nodes} nodes: ${what}`);
    const hasCheapKeys = nodes > MOST_WITH_KEYS;
    const searches = new DhtSearches({ nodes, searches: SEARCHES, hasCheapKeys, onProgress });
    searches.settle();
    const memory = hasCheapKeys ? undefined : (memoryInUse() - before) / nodes;
    add(row(`${nodes} nodes`, nodes, searches.measure(), memory));
  }
  const nodes = Number(troubled);
  for (const [name, conditions] of nodes > 0 ? TROUBLES : []) {
    const onProgress = (what: string): void => showProgress(`${name}: ${what}`);
    const searches = new DhtSearches({ nodes, searches: SEARCHES, hasCheapKeys: true, onProgress, ...conditions });
    searches.settle();
    add(row(name, nodes, searches.measure(), undefined));
  }
  return { columns: COLUMNS, rows, notes: NOTES };
}

const COLUMNS: Table['columns'] = [
  { name: 'network' },
  { name: 'found', unit: '%' },
  { name: 'median', unit: 'ms' },
  { name: 'p99', unit: 'ms' },
  { name: 'sent for a search', unit: 'packets' },
  { name: 'at rest', unit: '/min' },
  { name: '/log2 n' },
  { name: 'busiest', unit: '/min' },
  { name: 'stored', unit: 'nodes' },
  { name: '/log2 n' },
  { name: 'memory', unit: 'kB' },
];

const NOTES = [
  `${SEARCHES} searches of one random node for another (${BESIEGED} where keys are besieged), found when the other has itself answered, within 15 s of simulated time; 20 to 30 ms one way.`,
  'Packets: what the node that searches sends until then; what a node at rest sends in a minute, in the mean, and the busiest one, one of the 8 bootstrap nodes. Stored are good nodes.',
  `Memory: of the DHT, the keys shared with all that were met, and the simulated socket. Networks of more than ${MOST_WITH_KEYS} nodes are simulated without key agreements, and their memory is left out.`,
  `Networks with faults have ${troubled} nodes. Behind NATs both nodes search for each other; two symmetric NATs need a relay. Nodes that just died are not searched for.`,
];

await runBenchmark('DHT: searches in large networks', async (save) => measure(save));
