/** Searches among 10,000 nodes of the DHT, in a process of their own beside all that waits. */
import { constants, setPriority } from 'node:os';
import { join } from 'node:path';
import { type Process, ROOT, startProgram } from '../../test/support/processes.js';
import type { CrowdOutcome } from './crowd-simulation.js';
import { Series } from './watch.js';

export class Crowd {
  readonly #process: Process;

  /** Starts it. It takes only the processor time that nobody else wants. */
  constructor() {
    const program = join(ROOT, 'dist/bench/soak/crowd-simulation.js');
    this.#process = startProgram('the simulation of a large DHT', [process.execPath, program]);
    setPriority(this.#process.pid, constants.priority.PRIORITY_LOW);
  }

  /** Waits for its end. @throws Error (rejects) if the simulation failed */
  async ended(): Promise<{ readonly series: readonly Series[]; readonly failures: readonly string[] }> {
    const status = await this.#process.exited;
    if (status !== 0) throw new Error(`${this.#process.name} ended with ${status}: ${this.#process.stderr}`);
    const outcome = JSON.parse(this.#process.stdout) as CrowdOutcome;
    const of = `${outcome.searches} searches among ${outcome.nodes} nodes`;
    return {
      series: [
        series(
          `${outcome.found} of ${of}`,
          's',
          outcome.times.map((time) => time / 1000),
        ),
        series(`${of}: processor`, 's', [outcome.processor]),
        series(`${of}: memory`, 'MB', [outcome.resident / 1e6]),
      ],
      failures: outcome.failures,
    };
  }
}

function series(name: string, unit: string, values: readonly number[]): Series {
  const made = new Series(name, unit, Number.POSITIVE_INFINITY);
  for (const value of values) made.add(value);
  return made;
}
