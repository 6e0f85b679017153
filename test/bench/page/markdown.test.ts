import t from 'tap';
import { describeMachine, section } from '../../../bench/page/markdown.js';
import type { Results } from '../../../bench/support/results.js';

const RESULTS: Results = {
  title: 'Speed',
  command: 'node dist/bench/speed.js',
  machine: {
    cores: 2,
    processor: 'Chip',
    memory: 8e9,
    kernel: '6.1',
    congestionControl: 'cubic',
    node: '20.1.0',
    date: '2026-01-02',
    commit: 'abc',
    load: 0.26,
  },
  columns: [{ name: 'link' }, { name: 'by' }, { name: 'rate', unit: 'MB/s' }, { name: 'empty' }],
  rows: [
    ['a|b', 'TCP', 12.5, null],
    ['a|b', 'ours', [1, 3, 2], null],
  ],
  notes: ['One is left out.'],
};
const machine = describeMachine(RESULTS.machine);

t.test('a section has its plot, table, notes, and how it was measured', async (t) => {
  t.equal(
    section(RESULTS, machine, { name: 'speed', caption: 'MB/s' }),
    `## Speed

![MB/s](speed.svg)

| link | by | rate, MB/s |
| --- | --- | --: |
| a\\|b | TCP | 12.5 |
|  | ours | 2.0 (1.00-3.0) |

- One is left out.

\`node dist/bench/speed.js\`, 2026-01-02, commit abc, load 0.3 before.`,
  );
});

t.test('a section from another machine names it', async (t) => {
  t.match(section(RESULTS, 'another'), 'load 0.3 before; 2 cores (Chip), 8 GB, Linux 6.1, Node 20.1.0;');
});

t.test('a benchmark that failed has the reason in place of a table', async (t) => {
  const failed = { ...RESULTS, columns: [], rows: [], notes: ['It failed: no service.'] };
  t.match(section(failed, machine), /^## Speed\n\n- It failed: no service\.\n\n`node/);
});
