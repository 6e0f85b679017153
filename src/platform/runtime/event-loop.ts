/** How busy this process is. */
import type { Clock } from '../../base/clock.js';

/** Implementation: ms over which it is measured. */
const SPAN = 200;

/** @returns what tells for which part of its time the event loop has worked lately, 0 to 1; waiting for a processor counts too */
export function eventLoopLoad({ now }: Pick<Clock, 'now'>): () => number {
  let since = performance.eventLoopUtilization();
  let measuredAt = now();
  let load = 0;
  return () => {
    if (now() - measuredAt < SPAN) return load;
    const until = performance.eventLoopUtilization();
    load = performance.eventLoopUtilization(until, since).utilization;
    [since, measuredAt] = [until, now()];
    return load;
  };
}
