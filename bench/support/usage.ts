/** What the kernel has counted of a process, from /proc: the processor, memory, and how often it was woken. */
import { readdirSync, readFileSync } from 'node:fs';
import type { Process } from '../../test/support/processes.js';

/** Of Linux on every machine that Node runs on (sysconf _SC_CLK_TCK). */
const TICKS_PER_SECOND = 100;

/** One that runs, ours or started by another. */
export type Running = Pick<Process, 'pid'>;

/** A process and all below it: sshd has one for each connection. */
export function family({ pid }: Running): Running[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1').trim();
  return [{ pid }, ...(children === '' ? [] : children.split(' ').flatMap((child) => family({ pid: Number(child) })))];
}

/** Seconds of the processor that it has used so far, all its threads together. */
export function processorSeconds({ pid }: Running): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  // The name of the program, which may hold anything, is in brackets: utime and stime are 11 fields after those.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

/** How often its threads have gone to sleep by themselves, and so were woken. */
export function wakeUps({ pid }: Process): number {
  const threads = readdirSync(`/proc/${pid}/task`);
  return threads.reduce((sum, thread) => {
    const status = readFileSync(`/proc/${pid}/task/${thread}/status`, 'latin1');
    return sum + Number(/^voluntary_ctxt_switches:\s+(\d+)/m.exec(status)?.[1]);
  }, 0);
}

export interface Usage {
  /** Of one processor, in percent. */
  readonly processor: number;
  readonly wakeUpsPerSecond: number;
}

/** What the processes use while `rest` lasts, in their order. */
export async function usageDuring(rest: Promise<unknown>, processes: readonly Process[]): Promise<Usage[]> {
  const before = processes.map((one) => ({ processor: processorSeconds(one), wakeUps: wakeUps(one) }));
  const startedAt = performance.now();
  await rest;
  const seconds = (performance.now() - startedAt) / 1000;
  return processes.map((one, index) => ({
    processor: (100 * (processorSeconds(one) - (before[index]?.processor ?? 0))) / seconds,
    wakeUpsPerSecond: (wakeUps(one) - (before[index]?.wakeUps ?? 0)) / seconds,
  }));
}
