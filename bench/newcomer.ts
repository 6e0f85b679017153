/**
 * How long a new client needs in a network of few on one machine, most of whose members have just died or left: no sockets,
 * simulated time, repeatable from the seed.
 *
 *     node dist/bench/newcomer.js [SEEDS [FIRST_SEED]]
 */
import { BUSY, newcomersAmongTheDead, type TinyNetworkOptions } from '../test/support/tiny-network.js';
import { median, most, quantile } from './support/statistics.js';

const [seeds = 20, first = 1] = process.argv.slice(2).map(Number);
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

const seconds = (ms: number): string => (ms / 1000).toFixed(2);
for (const situation of SITUATIONS) {
  const results: { readonly seed: number; readonly took: number }[] = [];
  for (let seed = first; seed < first + seeds; seed += 1)
    for (const took of await newcomersAmongTheDead(situation, seed)) results.push({ seed, took });
  const times = results.map(({ took }) => took);
  const worst = results.sort((a, b) => b.took - a.took).slice(0, WORST);
  console.log(
    `${situation.name}: ${times.length} clients, median ${seconds(median(times))}  90 % ${seconds(quantile(times, 0.9))}  ` +
      `99 % ${seconds(quantile(times, 0.99))}  worst ${seconds(most(times))} s  above 10 s: ${times.filter((took) => took > 10_000).length}`,
  );
  console.log(`  slowest seeds: ${worst.map(({ seed, took }) => `${seed} (${seconds(took)})`).join(', ')}`);
}
