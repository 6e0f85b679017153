import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { inOneLine } from '../../bench/support/output.js';
import type { Results } from '../../bench/support/results.js';
import { Process, ROOT } from '../support/processes.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

/** A benchmark of these words, run with `--json FILE` among its arguments. */
async function runInto(file: string, measure: string): Promise<{ process: Process; status: number | string }> {
  const output = JSON.stringify(join(ROOT, 'dist/bench/support/output.js'));
  const code = `import { benchmarkArguments, runBenchmark } from ${output};
    const table = (cell) => ({ columns: [{ name: 'what' }], rows: [[cell]] });
    await runBenchmark('A title', async (save) => { ${measure} });`;
  const args = ['--input-type=module', '-e', code, 'bench.js', 'one', '--json', file, 'two words'];
  const process = new Process('benchmark', globalThis.process.execPath, args);
  return { process, status: await process.exited };
}

async function run(measure: string): Promise<{ process: Process; status: number | string; results: Results }> {
  const file = join(temporaryDirectory(t), 'results.json');
  return { ...(await runInto(file, measure)), results: JSON.parse(readFileSync(file, 'utf8')) };
}

t.test('the results are printed, and written with command and machine', async (t) => {
  const { process, status, results } = await run('return table(benchmarkArguments.join());');
  t.equal(status, 0, process.stderr);
  t.equal(process.stdout, 'A title\nwhat\none,two words\n');
  t.same(results.rows, [['one,two words']]);
  t.match(results, { title: 'A title', notes: [], machine: { node: globalThis.process.version.slice(1) } });
  t.match(results.command, /^node \S*bench\.js one 'two words'$/, 'all arguments but the file of results');
});

t.test('a benchmark that fails leaves its results so far, and the reason', async (t) => {
  const { process, status, results } = await run("save(table('half')); throw new Error('no service\\nmore');");
  t.equal(status, 1);
  t.equal(process.stderr, 'no service\nmore\n');
  t.same(results.rows, [['half']]);
  t.same(results.notes, ['It failed: no service']);
});

t.test('a benchmark that is killed leaves its results so far, marked as incomplete', async (t) => {
  const { results } = await run(
    "save(table('half')); process.kill(process.pid, 'SIGKILL'); await new Promise(() => {});",
  );
  t.same(results.rows, [['half']]);
  t.same(results.notes, ['The benchmark was interrupted: rows may be missing.']);
});

t.test('nothing is measured when the results cannot be written', async (t) => {
  const { process, status } = await runInto('/nonexistent/results.json', "console.log('measuring');");
  t.equal(status, 1);
  t.equal(process.stdout, '');
  t.match(process.stderr, /^The results cannot be written, so nothing is measured: ENOENT/);
});

t.test('an error takes one line, with the reason of a process that ended', async (t) => {
  t.equal(inOneLine(new Error('it broke')), 'it broke');
  const stack = 'node:fs:1\n  throw err\n\nError: nothing came\n    at a (b:1)\n\nNode.js v20';
  t.equal(inOneLine(new Error(`visit ended with 1\n--- stderr\n${stack}`)), 'visit ended with 1: Error: nothing came');
});
