/** How long processes wait for a processor, and what they logged: why something was slow on a busy machine. */
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { Process } from '../../test/support/processes.js';

const NS_PER_S = 1e9;
/** ms. */
const RESOLUTION = 100;

/** Waits of some processes and of this one, from its making on. */
export class Turns {
  readonly #processes: () => readonly Process[];
  readonly #before: ReadonlyMap<Process, number>;
  readonly #own = monitorEventLoopDelay({ resolution: RESOLUTION });

  /** @param processes returns those that run now: one that was started in between has waited since its start */
  constructor(processes: () => readonly Process[]) {
    this.#processes = processes;
    this.#before = new Map(processes().map((process) => [process, waited(process)]));
    this.#own.enable();
  }

  /**
   * s that the process that was served worst has waited. That of this process is its longest pause, which counts a stop by a signal
   * as well.
   */
  end(): number {
    this.#own.disable();
    const others = this.#processes().map((process) => waited(process) - (this.#before.get(process) ?? 0));
    return Math.max(0, this.#own.max / NS_PER_S - RESOLUTION / 1000, ...others);
  }
}

/** s that its main thread could run and did not (/proc/PID/schedstat); 0 where the kernel does not tell, and for one that ended. */
function waited({ pid }: Process): number {
  try {
    return Number(readFileSync(`/proc/${pid}/schedstat`, 'latin1').split(' ')[1]) / NS_PER_S;
  } catch {
    return 0;
  }
}

/** Writes the log of each process to a file of its own, in a directory that stays. @returns the directory */
export function keepLogs(processes: readonly Process[]): string {
  const directory = mkdtempSync(join(tmpdir(), 'soak-'));
  for (const { name, pid, stderr } of processes) writeFileSync(join(directory, `${name}-${pid}.log`), stderr);
  return directory;
}
