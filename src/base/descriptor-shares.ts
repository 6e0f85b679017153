/** How many descriptors this process may have open, sockets and files together, and which part of it may have how many of them. */
import { readFileSync } from 'node:fs';

/** Implementation: assumed where the system does not say; Node itself raises the soft limit to the hard one. */
const USUAL_LIMIT = 4_096;
/**
 * Implementation: of the process itself, a quarter: 30 that it has from the start, its files, the programs that it runs, its
 * control socket, name servers, further attempts to reach a target, and the relays that it is a client of.
 */
const OWN_SHARE = 1 / 4;
const FEWEST_OWN = 48;
const MOST_OWN = 1_024;
/** Implementation: of the rest, what we may have as a relay for strangers. */
const RELAY_SHARE = 1 / 3;
/** Implementation: as many relays as a public list names. */
const FEWEST_RELAYS = 64;

/** Descriptors at once. */
export interface DescriptorShares {
  /** Connections with tunnels' targets and with local programs, of all peers together. */
  readonly tunnels: number;
  /** Attempts to reach another address of a target beside the first. */
  readonly attempts: number;
  /** Connections of those whose relay we are. */
  readonly relayClients: number;
  /** Relays whose client we are. */
  readonly relays: number;
}

/** @param limit what this process may have open */
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
