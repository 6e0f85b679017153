/**
 * Sets V8's flags for a process that carries datagrams: a small heap, and early optimization. One more can only be given at the start, so
 * it is in the first line of the commands (src/bin): `--v8-pool-size=1`. One thread compiles and collects, not four, which would take
 * all cores of a small machine from the data.
 */
import { setFlagsFromString } from 'node:v8';
import { ifStillRunning } from '../../base/clock.js';

/** V8 up to this version (Node 20 to 24) is known to have the flags; another one would print an error. */
const NEWEST_V8 = 13;
const VERSION = Number.parseInt(process.versions.v8, 10);
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

/** V8's default, and a seventh of it. Node 22 and 24 (V8 12 and 13) count calls instead of work. */
const [FLAG, BY_DEFAULT, EARLY] =
  VERSION < 12
    ? (['--interrupt-budget', 67_584, 9_000] as const)
    : (['--invocation-count-for-turbofan', ...(VERSION < 13 ? [3_000, 430] : [10_000, 1_430])] as const);
/**
 * A function is optimized after a seventh of the default work: a keystroke passes code that runs seldom. It halves the round trip of
 * the later ones of the first thousand small messages (bench/latency).
 */
const OPTIMIZE_EARLY = `${FLAG}=${EARLY}`;
const OPTIMIZE_BY_DEFAULT = `${FLAG}=${BY_DEFAULT}`;
/**
 * ms. Modules are loaded by then: to optimize what loads them would cost a tenth of a start's processor time. A function keeps the budget
 * of its first calls, and the data path has its own later.
 */
const STARTED = 200;

/** Whether functions are optimized early. */
let isStarted = false;

/** Called before anything else. */
export function setV8Flags(later = ifStillRunning): void {
  if (VERSION > NEWEST_V8) return;
  for (const flag of FLAGS) setFlagsFromString(flag);
  later(STARTED, () => {
    isStarted = true;
    setFlagsFromString(OPTIMIZE_EARLY);
  });
}

/** Calls back with the flags of a process that starts: V8 uses a code cache only with the flags with which it was made. */
export function withFlagsOfStart<T>(work: () => T): T {
  if (!isStarted) return work();
  setFlagsFromString(OPTIMIZE_BY_DEFAULT);
  try {
    return work();
  } finally {
    setFlagsFromString(OPTIMIZE_EARLY);
  }
}
