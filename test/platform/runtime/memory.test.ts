import { execFileSync, spawnSync } from 'node:child_process';
import t from 'tap';

const MODULE = new URL('../../../src/platform/runtime/memory.js', import.meta.url).href;

/** Makes objects of which some survive each collection, and prints how far the young generation grew, in bytes. */
const CHURN = `
  import { getHeapSpaceStatistics } from 'node:v8';
  const kept = [];
  for (let round = 0; round < 4e5; round += 1) {
    kept.push({ round, list: [round] });
    if (kept.length > 5e4) kept.length = 0;
  }
  console.log(getHeapSpaceStatistics().find((space) => space.space_name === 'new_space').space_size);
`;

const churn = (prelude: string): number =>
  Number(execFileSync(process.execPath, ['--input-type=module', '-e', prelude + CHURN], { encoding: 'utf8' }));

t.test('the young generation stays small', async (t) => {
  const bounded = churn(`import { keepHeapSmall } from '${MODULE}'; keepHeapSmall();`);
  const unbounded = churn('');
  // What was loaded before the call may have made it grow once.
  t.ok(bounded <= unbounded / 4, `${bounded} bytes, else ${unbounded}`);
});

t.test('this Node accepts the flags silently', async (t) => {
  const script = `import { keepHeapSmall } from '${MODULE}'; keepHeapSmall();`;
  const { status, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' });
  t.equal(status, 0);
  t.equal(stderr, '');
});
