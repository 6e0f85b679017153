/** How every benchmark begins and ends: its arguments, its table, and nothing left running. */
import { writeFileSync } from 'node:fs';
import { relative } from 'node:path';
import { messageOf } from '../../src/base/coded-error.js';
import { ROOT } from '../../test/support/processes.js';
import type { Figure } from './figures.js';
import { thisMachine } from './machine.js';
import { endCleanlyOnSignals, stopAll } from './private-network.js';
import { clearProgress } from './progress.js';
import { formatResults, type Results, type Table, tableOf } from './results.js';

const [words, file] = withoutFile(process.argv.slice(2));
/** The arguments of a benchmark, without `--json FILE`, which is for `runBenchmark`. */
export const benchmarkArguments: readonly string[] = words;

function withoutFile(given: readonly string[]): [string[], string | undefined] {
  const at = given.indexOf('--json');
  return at < 0 ? [[...given], undefined] : [[...given.slice(0, at), ...given.slice(at + 2)], given[at + 1] ?? ''];
}

type Measured = readonly Figure[] | Table;

/**
 * Runs the benchmark, prints what it measured, and writes that to the file of `--json FILE`, if there is one. A missed target is
 * reported, but is not a failure: machines differ. After a failure the file has the reason.
 * @param measure what takes long may save what it has, in case that it does not come to its end
 */
export async function runBenchmark(
  title: string,
  measure: (save: (soFar: Measured) => void) => Promise<Measured>,
): Promise<void> {
  endCleanlyOnSignals();
  const about = { title, command: commandLine(), machine: thisMachine() };
  let saved: Table = { columns: [], rows: [] };
  const save = (measured: Measured, ...more: readonly string[]): Results => {
    saved = 'columns' in measured ? measured : tableOf(measured);
    const results = { ...about, ...saved, notes: [...(saved.notes ?? []), ...more] };
    if (file !== undefined) writeFileSync(file, `${JSON.stringify(results, undefined, 1)}\n`);
    return results;
  };
  const saveSoFar = (measured: Measured): void =>
    void save(measured, 'The benchmark was interrupted: rows may be missing.');
  try {
    // Before it measures for an hour.
    saveSoFar(saved);
  } catch (error) {
    console.error(`The results cannot be written, so nothing is measured: ${messageOf(error)}`);
    process.exitCode = 1;
    return;
  }
  try {
    const results = save(await measure(saveSoFar));
    clearProgress();
    process.stdout.write(formatResults(results));
  } catch (error) {
    clearProgress();
    console.error(messageOf(error));
    save(saved, `It failed: ${inOneLine(error)}`);
    process.exitCode = 1;
  } finally {
    await stopAll();
  }
}

/** An error in one line: its first line, and the last error that an ended process printed. */
export function inOneLine(error: unknown): string {
  const [first = '', ...more] = messageOf(error).split('\n');
  const cause = more.reverse().find((line) => /^\w*Error\b.*: /.test(line));
  return cause === undefined ? first : `${first}: ${cause}`;
}

function commandLine(): string {
  const program = relative(ROOT, process.argv[1] ?? '');
  const quoted = benchmarkArguments.map((word) => (/^[\w.,/-]+$/.test(word) ? word : `'${word}'`));
  return ['node', program, ...quoted].join(' ');
}
