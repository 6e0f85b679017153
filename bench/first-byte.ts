/**
 * Time to the first byte of a service on another host of the lab, from exec of a client with a new identity, by our tunnel and
 * the others' (support/link-tunnels): from the start of ssh, of a process with HyperDHT, of wireguard-go with its configuration.
 * Kernel TCP has no client: what is left is to connect. What waits at the other end has been up for ten seconds.
 *
 *     node dist/bench/first-byte.js [runs, 10 by default] [the beginning of one tunnel's name]
 */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Lab, type LinkSettings } from '../test/support/lab.js';
import { ROOT } from '../test/support/processes.js';
import { sortOut, startLabService, TUNNEL_KINDS, type TunnelKind } from './support/link-tunnels.js';
import { benchmarkArguments, inOneLine, runBenchmark } from './support/output.js';
import { showProgress } from './support/progress.js';
import type { Cell } from './support/results.js';
import { least, median, most } from './support/statistics.js';

const [runs = '10', only = ''] = benchmarkArguments;
/** ms that the server is up before the first client starts. */
const UPTIME = 10_000;
const LINKS: readonly { readonly name: string; readonly settings: LinkSettings }[] = [
  { name: 'unshaped', settings: {} },
  { name: '40 ms', settings: { delay: 20 } },
];

/** Seconds of each run. */
async function measure(kind: TunnelKind, settings: LinkSettings): Promise<number[]> {
  const downs: (() => Promise<void>)[] = [];
  try {
    const lab = await Lab.up({ teardown: (down: () => Promise<void>) => downs.push(down) }, { topology: 'wan' });
    if (Object.keys(settings).length > 0) await lab.set('alice', settings);
    const connect = await kind.serve(lab, await startLabService(lab));
    await sleep(UPTIME);
    const times: number[] = [];
    while (times.length < Number(runs)) {
      const program = join(ROOT, 'dist/bench/support/link-visit.js');
      const visit = lab.start('alice', 'visit', [process.execPath, program, 'greet']);
      await visit.waitFor(/^ready$/m);
      const startedAt = performance.now();
      const { host, port, client } = await connect();
      visit.child.stdin.write(`${host} ${port}\n`);
      await visit.waitFor(/^greeted$/m);
      times.push((performance.now() - startedAt) / 1000);
      await client?.stop();
    }
    return times;
  } finally {
    for (const down of downs) await down();
  }
}

await runBenchmark('Time to first byte', async (save) => {
  const { able, notes } = sortOut(TUNNEL_KINDS.filter(({ name }) => name.startsWith(only)));
  const rows: Cell[][] = [];
  const columns = [
    { name: 'link' },
    { name: 'by' },
    ...['median', 'least', 'most'].map((name) => ({ name, unit: 's' })),
  ];
  const table = { columns, rows, notes: [`Each of ${runs} runs has a client of its own.`, ...notes] };
  for (const { name, settings } of LINKS) {
    for (const kind of able) {
      showProgress(`${name}: ${kind.name}`);
      try {
        const times = await measure(kind, settings);
        rows.push([name, kind.name, median(times), least(times), most(times)]);
      } catch (error) {
        table.notes.push(`${name}, ${kind.name}: ${inOneLine(error)}`);
      }
      save(table);
    }
  }
  return table;
});
process.exit();
