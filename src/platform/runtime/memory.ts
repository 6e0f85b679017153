/** The memory of this process. */
import type { Clock } from '../../base/clock.js';

/** ms for which a value is reused: on a busy machine the kernel takes a millisecond for one. */
const FRESH = 1_000;

/** Returns a function that returns the resident memory of this process, bytes, as of the last second. */
export function residentMemory({ now }: Pick<Clock, 'now'>): () => number {
  let [bytes, askedAt] = [0, Number.NEGATIVE_INFINITY];
  return () => {
    if (now() - askedAt < FRESH) return bytes;
    askedAt = now();
    try {
      bytes = process.memoryUsage.rss();
    } catch {
      // Without a free descriptor the last value is returned.
    }
    return bytes;
  };
}
