/**
 * Writes the page of docs/performance, README.md and its plots, from the results that benchmarks have written with `--json`.
 *
 *     node dist/bench/page.js DIRECTORY        has results/NAME.json of each, and gets the page
 */
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describeMachine, section } from './page/markdown.js';
import { canDraw, PLOTS } from './page/plots.js';
import type { Results } from './support/results.js';

/** Before all others, in this order: what people ask first. */
const FIRST = [
  'first-byte',
  'first-answer',
  'warm',
  'standing-forward',
  'links',
  'latency',
  'udp',
  'vpn',
  'tunnels',
  'processor',
  'fairness',
  'throughput',
  'idle',
  'connect',
  'reach',
];

const [directory = ''] = process.argv.slice(2);
const folder = join(directory, 'results');
const rank = (name: string): number => (FIRST.includes(name) ? FIRST.indexOf(name) : FIRST.length);
const all = readdirSync(folder)
  .filter((file) => file.endsWith('.json'))
  .map((file) => file.slice(0, -'.json'.length))
  .sort((one, other) => rank(one) - rank(other) || (one < other ? -1 : 1))
  .map((name) => JSON.parse(readFileSync(join(folder, `${name}.json`), 'utf8')) as Results);

/** The machine of most results, which the page names once. */
function commonMachine(): string {
  const names = all.map(({ machine }) => describeMachine(machine));
  const count = (name: string): number => names.filter((other) => other === name).length;
  return [...names].sort((one, other) => count(other) - count(one))[0] ?? '';
}

const machine = commonMachine();
const sections = all.map((results) => {
  const plot = PLOTS.find((one) => canDraw(one, results));
  if (plot !== undefined) writeFileSync(join(directory, `${plot.name}.svg`), plot.draw(results));
  return section(results, machine, plot);
});
for (const plot of PLOTS.filter((one) => !all.some((results) => canDraw(one, results)))) {
  rmSync(join(directory, `${plot.name}.svg`), { force: true });
  sections.push(`Not measured here: ${plot.caption}.`);
}
const notes = existsSync(join(directory, 'notes.md'));
const page = [
  '# Performance',
  `\`make bench\` writes this page from the figures in [results](results). Both ends and the load share one machine: ${machine}.`,
  'Machines are noisy, so compare only within a table, which is one run. A figure with a range is a median with its minimum and maximum. ' +
    'Below each table are its command, its commit and the load average before it. ' +
    'The links are those of the lab (`test/lab`): network namespaces with emulated links between them.',
  'A target is what we want to reach: `ok` or `MISSED` says whether we do, `at least` is the target of the row above.',
  ...(notes ? ['The [notes](notes.md) explain the figures.'] : []),
  ...sections,
];
writeFileSync(join(directory, 'README.md'), `${page.join('\n\n')}\n`);
console.log(`The page is ${join(directory, 'README.md')}.`);
