import { execFileSync, spawnSync } from 'node:child_process';
import t from 'tap';

const MODULE = new URL('../../../src/platform/runtime/v8-flags.js', import.meta.url).href;

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
  const bounded = churn(`import { setV8Flags } from '${MODULE}'; setV8Flags();`);
  const unbounded = churn('');
  // What was loaded before the call may have made it grow once.
  t.ok(bounded <= unbounded / 4, `${bounded} bytes, else ${unbounded}`);
});

/** Sets the flags of a process that has started. */
const STARTED = `import { setV8Flags } from '${MODULE}'; setV8Flags((_, started) => started());`;

t.test('this Node accepts the flags silently', async (t) => {
  const script = ['--input-type=module', '-e', STARTED];
  const { status, stderr } = spawnSync(process.execPath, script, { encoding: 'utf8' });
  t.equal(status, 0);
  t.equal(stderr, '');
});

/** Prints after how many calls V8 has optimized a function; bit 6 of the status says so (TurboFan). */
const COUNT_CALLS = `
  const isOptimized = new Function('f', 'return (%GetOptimizationStatus(f) & 64) !== 0');
  const sum = new Function('values', 'let sum = 0; for (const value of values) sum += value; return sum');
  let calls = 0;
  while (calls < 1e5 && !isOptimized(sum)) {
    sum([calls, 1, 2]);
    calls += 1;
  }
  console.log(calls);
`;

function callsUntilOptimized(prelude: string): number {
  const flags = ['--no-concurrent-recompilation', '--allow-natives-syntax'];
  const script = ['--input-type=module', '-e', prelude + COUNT_CALLS];
  return Number(execFileSync(process.execPath, [...flags, ...script], { encoding: 'utf8' }));
}

t.test('a function is optimized after few calls, once the process has started', async (t) => {
  const early = callsUntilOptimized(STARTED);
  const byDefault = callsUntilOptimized('');
  t.ok(early > 0 && early <= byDefault / 4, `${early} calls, else ${byDefault}`);
  const starting = callsUntilOptimized(`import { setV8Flags } from '${MODULE}'; setV8Flags(() => {});`);
  t.ok(starting > byDefault / 4, `${starting} calls while it starts`);
});

t.test('what is compiled later has the flags of the start, if it asks for them', async (t) => {
  const script = `
    import { setV8Flags, withFlagsOfStart } from '${MODULE}';
    import { cachedDataVersionTag as tag } from 'node:v8';
    let start;
    setV8Flags((_, started) => { start = started; });
    const before = tag();
    start();
    console.log(tag() === before, withFlagsOfStart(tag) === before, tag() === before);`;
  const output = execFileSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' });
  t.equal(output, 'false true false\n');
});
