/** Processes that a test has not started itself, and yet has to follow, and to end. */
import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import type { Test } from 'tap';

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
  for (let turn = 0; turn < 500 && isRunning(pid); turn += 1) await delay(20);
  return !isRunning(pid);
}

/** As the kernel shows it. */
export const statusOf = (pid: number): string => readFileSync(`/proc/${pid}/status`, 'utf8');
