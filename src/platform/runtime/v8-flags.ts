/**
 * Sets V8's flags for a process that carries datagrams: a small heap, and early optimization. One more can only be given at the start, so
 * it is in the first line of the commands (src/bin): `--v8-pool-size=1`. One thread compiles and collects, not four, which would take
 * all cores of a small machine from the data.
 */
import { setFlagsFromString } from 'node:v8';
import { ifStillRunning } from '../../base/clock.js';

/** V8 up to this version (Node 20 to 24) is known to have the flags; another one would print an error. */
const NEWEST_V8 = 13;
/**
 * Each datagram is a buffer outside of the heap, which V8 frees only when it collects the object that owns it. By default it lets tens
 * of MiB of dead datagrams accumulate. The first two flags save some 30 MB without a measurable loss of throughput; the second one may
 * add a tenth of a millisecond to the round trip (bench/throughput).
 */
const FLAGS = [
  // The young generation stays at its first size instead of growing to 16 MiB.
  '--semi-space-growth-factor=1',
  // The old generation, which gets packets that wait for an ack, is collected after growing by a fifth, not by half or more.
  '--heap-growing-percent=20',
  // One thread collects so small a young generation before others are awake.
  '--no-parallel-scavenge',
];

/**
 * A function is optimized after a seventh of the default work: a keystroke passes code that runs seldom. It halves the round trip of
 * the later ones of the first thousand small messages (bench/latency).
 */
const OPTIMIZE_EARLY = '--interrupt-budget=9000';
/** The same for V8 12 and 13 (Node 22 and 24), which count calls. */
const OPTIMIZE_AFTER_FEWER_CALLS = '--invocation-count-for-turbofan=430';
/**
 * ms. Modules are loaded by then: to optimize what loads them would cost a tenth of a start's processor time. A function keeps the budget
 * of its first calls, and the data path has its own later.
 */
const STARTED = 200;

/** Called before anything else. */
export function setV8Flags(later = ifStillRunning): void {
  const version = Number.parseInt(process.versions.v8, 10);
  if (version > NEWEST_V8) return;
  for (const flag of FLAGS) setFlagsFromString(flag);
  later(STARTED, () => setFlagsFromString(version < 12 ? OPTIMIZE_EARLY : OPTIMIZE_AFTER_FEWER_CALLS));
}
