/** The states of BBR (draft-ietf-ccwg-bbr), and the pacing rate in each of them. */
import { STARTUP_GAIN } from './startup.js';

/** Startup, Drain, ProbeBW_DOWN, ProbeBW_CRUISE, ProbeBW_UP and ProbeRTT. */
export type Mode = 'startup' | 'drain' | 'probe-down' | 'cruise' | 'probe-up' | 'probe-rtt';

/** BBR: the pacing rate in delivery rates. Startup has its own gain, which depends on the round trips. */
export const PACING_GAINS: Readonly<Record<Exclude<Mode, 'startup'>, number>> = {
  drain: 1 / STARTUP_GAIN,
  'probe-down': 0.75,
  cruise: 1,
  'probe-up': 1.25,
  'probe-rtt': 1,
};
