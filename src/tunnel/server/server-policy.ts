/** What the peers may do here, as the owner decides. Each function is asked every time, so changes count at once. */
import type { Service } from '../wire/target.js';
import { type MayListen, noPort } from './client-ports.js';
import type { SourceOf } from './client-source.js';
import { type LimitsOf, NO_LIMITS } from './peer-limits.js';
import type { MayReach } from './request-handler.js';

export interface ServerPolicy {
  /** Asked for every request of a peer, and again when its target is connected. */
  readonly mayReach: MayReach;
  /** Decides which ports peers may have opened here. */
  readonly mayListen: MayListen;
  /** Returns our services that a peer may reach. */
  readonly servicesFor: (peerId: string) => readonly Service[];
  /** Returns how fast a peer may be, and how many tunnels it may have. */
  readonly limitsOf: LimitsOf;
  /** Returns from where targets are connected to. */
  readonly sourceOf: SourceOf;
}

/** That of a client: nothing may be reached. */
export const NO_ACCESS: ServerPolicy = {
  mayReach: () => ({ allowed: false, reason: 'a client opens no tunnels for its server' }),
  mayListen: noPort,
  servicesFor: () => [],
  limitsOf: () => NO_LIMITS,
  sourceOf: () => undefined,
};
