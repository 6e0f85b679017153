/**
 * Keeps the process small while it carries bulk traffic. Each datagram is a buffer outside of the heap, most of which live
 * for microseconds; V8 frees them only when it collects the objects that own them, and left to itself it lets these grow
 * until tens of MiB of dead datagrams have piled up. The first two settings together save some 30 MB and no throughput that could be
 * measured; the second may cost a tenth of a millisecond of round trip (bench/throughput).
 */
import { setFlagsFromString } from 'node:v8';
import type { Clock } from '../../base/clock.js';

/** The versions of V8 that are known to have the flags, those of Node 20 to 24; others would complain on standard error. */
const NEWEST_V8 = 13;
const FLAGS = [
  // The young generation stays at its first size, where it would grow to 16 MiB.
  '--semi-space-growth-factor=1',
  // The old one, where packets end up that waited for their confirmation, is collected after growing by a fifth, not by half or more.
  '--heap-growing-percent=20',
  // So small a young generation is collected sooner by one thread than others are woken to help.
  '--no-parallel-scavenge',
];

/** To be called before anything else. */
export function keepHeapSmall(): void {
  if (Number.parseInt(process.versions.v8, 10) > NEWEST_V8) return;
  for (const flag of FLAGS) setFlagsFromString(flag);
}

/** Implementation: ms for which a figure is good enough: on a busy machine the kernel needs a millisecond to make one. */
const FRESH = 1_000;

/** @returns what tells how much memory of this process is resident, bytes, as it was within the last second */
export function residentMemory({ now }: Pick<Clock, 'now'>): () => number {
  let [bytes, askedAt] = [0, Number.NEGATIVE_INFINITY];
  return () => {
    if (now() - askedAt < FRESH) return bytes;
    askedAt = now();
    try {
      bytes = process.memoryUsage.rss();
    } catch {
      // Without a descriptor to read it by it is what it was.
    }
    return bytes;
  };
}
