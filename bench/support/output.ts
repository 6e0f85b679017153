/** How every benchmark ends: its table, and nothing left running. */
import { messageOf } from '../../src/base/coded-error.js';
import { type Figure, formatFigures } from './figures.js';
import { endCleanlyOnSignals, stopAll } from './private-network.js';
import { clearProgress } from './progress.js';

/** Runs the benchmark and prints what it measured. A missed mark is told but is no failure: machines differ. */
export async function runBenchmark(measure: () => Promise<readonly Figure[]>): Promise<void> {
  endCleanlyOnSignals();
  try {
    const figures = await measure();
    clearProgress();
    process.stdout.write(formatFigures(figures));
  } catch (error) {
    clearProgress();
    console.error(messageOf(error));
    process.exitCode = 1;
  } finally {
    await stopAll();
  }
}
