/** Measures how busy this process is. */
import type { Clock } from '../../base/clock.js';

/** ms over which it is measured. */
const SPAN = 200;

/** Returns a function that returns the recent load of the event loop, 0 to 1; waiting for a processor counts too. */
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
