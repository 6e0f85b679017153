/** Processes that a test has not started itself, and yet has to follow, and to end. */
import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import type { Test } from 'tap';
import { PATIENCE } from '../../support/processes.js';

/** ms between two looks at a process. */
const PAUSE = 20;

/** Those in the background are nobody's children. */
export function endWith(t: Test, pid: number): void {
  t.teardown(() => {
    if (isRunning(pid)) process.kill(pid, 'SIGKILL');
  });
}

export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !/^State:\s+Z/m.test(statusOf(pid));
  } catch {
    return false;
  }
}

export async function ended(pid: number): Promise<boolean> {
  return until(() => !isRunning(pid));
}

/** Waits until the kernel reports this state of a process. */
export async function becomes(pid: number, isSo: (status: string) => boolean): Promise<void> {
  if (!(await until(() => isSo(statusOf(pid)))))
    throw new Error(`process ${pid} is not as it should be:\n${statusOf(pid)}`);
}

async function until(condition: () => boolean): Promise<boolean> {
  for (let waited = 0; !condition() && waited < PATIENCE; waited += PAUSE) await delay(PAUSE);
  return condition();
}

/** As the kernel shows it. */
export const statusOf = (pid: number): string => readFileSync(`/proc/${pid}/status`, 'utf8');
