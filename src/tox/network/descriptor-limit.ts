/** How many descriptors this process may have open: sockets and files together. */
import { readFileSync } from 'node:fs';

/** Implementation: assumed where the system does not say; Node itself raises the soft limit to the hard one. */
const USUAL_LIMIT = 4_096;

export function descriptorLimit(): number {
  try {
    return parseLimits(readFileSync('/proc/self/limits', 'latin1')) ?? USUAL_LIMIT;
  } catch {
    return USUAL_LIMIT;
  }
}

/** @param text of Linux' /proc/PID/limits: name, soft limit, hard limit, unit */
export function parseLimits(text: string): number | undefined {
  const soft = /^Max open files\s+(\d+|unlimited)/m.exec(text)?.[1];
  if (soft === 'unlimited') return Number.POSITIVE_INFINITY;
  return soft === undefined ? undefined : Number(soft);
}
