/**
 * How long a new client needs in a network of few on one machine, most of whose members have just died or left: no sockets,
 * simulated time, repeatable from the seed.
 *
 *     node dist/bench/newcomer.js [SEEDS [FIRST_SEED]]
 */
import { BUSY, newcomersAmongTheDead, type TinyNetworkOptions } from '../test/support/tiny-network.js';
import { benchmarkArguments, runBenchmark } from './support/output.js';
import { showProgress } from './support/progress.js';
import type { Cell } from './support/results.js';
import { quantile } from './support/statistics.js';

const [seeds = 20, first = 1] = benchmarkArguments.map(Number);
/** Seeds that are named, the slowest in front. */
const WORST = 4;

const SITUATIONS: readonly (TinyNetworkOptions & { readonly name: string })[] = [
  { name: 'a node, the others left', hasNode: true, end: 'left' },
  { name: 'a node, the others killed', hasNode: true, end: 'killed' },
  { name: 'the same, busy machine', hasNode: true, end: 'killed', load: BUSY },
  { name: 'the same, 5 % lost', hasNode: true, end: 'killed', load: BUSY, loss: 0.05 },
  { name: 'no node, the others killed', hasNode: false, end: 'killed' },
  { name: 'the same, busy machine', hasNode: false, end: 'killed', load: BUSY },
];

/** ms; clients that need longer are counted. */
const LONG = 10_000;

await runBenchmark('A new client after most of its network died, simulated', async () => {
  const rows: Cell[][] = [];
  for (const situation of SITUATIONS) {
    showProgress(situation.name);
    const results: { readonly seed: number; readonly took: number }[] = [];
    for (let seed = first; seed < first + seeds; seed += 1)
      for (const took of await newcomersAmongTheDead(situation, seed)) results.push({ seed, took });
    const seconds = results.map(({ took }) => took / 1000);
    const worst = results.sort((a, b) => b.took - a.took).slice(0, WORST);
    rows.push([
      situation.name,
      `${results.length}`,
      ...[0.5, 0.9, 0.99, 1].map((fraction) => quantile(seconds, fraction)),
      `${results.filter(({ took }) => took > LONG).length}`,
      worst.map(({ seed }) => seed).join(' '),
    ]);
  }
  const quantiles = ['median', '90 %', '99 %', 'worst'].map((name) => ({ name, unit: 's' }));
  const columns = [
    { name: 'situation' },
    { name: 'clients' },
    ...quantiles,
    { name: '> 10 s' },
    { name: 'slowest seeds' },
  ];
  return { columns, rows };
});
