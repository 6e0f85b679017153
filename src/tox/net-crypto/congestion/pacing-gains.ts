/** BBR: the pacing rate in each mode, in delivery rates. */
import type { Mode } from './loss-signals.js';
import { STARTUP_GAIN } from './startup.js';

/** Probing for more bandwidth, and draining the queue of the probe. */
const UP_GAIN = 1.25;
const DOWN_GAIN = 0.75;

/** Startup has its own gain, which depends on the round trips. */
export const PACING_GAINS: Readonly<Record<Exclude<Mode, 'startup'>, number>> = {
  drain: 1 / STARTUP_GAIN,
  'probe-down': DOWN_GAIN,
  cruise: 1,
  'probe-up': UP_GAIN,
  'probe-rtt': 1,
};
