/** Divides the file descriptors of this process among its parts. */
import { readFileSync } from 'node:fs';

/** Used if the limit is unknown. Node raises the soft limit to the hard one. */
const DEFAULT_LIMIT = 4_096;
/**
 * The process itself gets a quarter: for 30 from the start, its files, helper programs, the control socket, name servers, further
 * attempts to reach a target, and the relays that it uses.
 */
const OWN_SHARE = 1 / 4;
const FEWEST_OWN = 48;
const MOST_OWN = 1_024;
/** The part of the rest for clients of our own relay. */
const RELAY_SHARE = 1 / 3;
/** As many relays as a public list has. */
const FEWEST_RELAYS = 64;

export interface DescriptorShares {
  /** Connections to targets and local programs, of all peers. */
  readonly tunnels: number;
  /** Attempts to reach further addresses of a target. */
  readonly attempts: number;
  /** Clients of our relay. */
  readonly relayClients: number;
  /** Relays that we use. */
  readonly relays: number;
}

/** @param limit descriptors of this process */
export function descriptorShares(limit = descriptorLimit()): DescriptorShares {
  const own = Math.min(MOST_OWN, Math.max(FEWEST_OWN, Math.floor(limit * OWN_SHARE)));
  const rest = Math.max(0, limit - own);
  const relayClients = Math.floor(rest * RELAY_SHARE);
  return {
    tunnels: Math.max(1, rest - (Number.isFinite(rest) ? relayClients : 0)),
    attempts: Math.max(1, Math.floor(own / 4)),
    relayClients,
    relays: Math.max(FEWEST_RELAYS, Math.floor(own / 2)),
  };
}

export function descriptorLimit(): number {
  try {
    return parseLimits(readFileSync('/proc/self/limits', 'latin1')) ?? DEFAULT_LIMIT;
  } catch {
    return DEFAULT_LIMIT;
  }
}

/** @param text /proc/PID/limits: name, soft limit, hard limit, unit */
export function parseLimits(text: string): number | undefined {
  const soft = /^Max open files\s+(\d+|unlimited)/m.exec(text)?.[1];
  if (soft === 'unlimited') return Number.POSITIVE_INFINITY;
  return soft === undefined ? undefined : Number(soft);
}
