/**
 * From where an address can be reached. A hop hands on to a narrow address only what came from one (onion-relay), and an
 * address such as 127.0.0.1 means another host to each: so a path may go from narrow addresses to wider ones, never back,
 * and a destination needs hops whose addresses are no wider than its own.
 */
import type { Endpoint } from '../../base/endpoint.js';

export const Scope = { Machine: 0, LocalNetwork: 1, World: 2 } as const;
export type Scope = (typeof Scope)[keyof typeof Scope];

export function scopeOf(endpoint: Endpoint): Scope {
  if (endpoint.isLoopback) return Scope.Machine;
  return endpoint.isLan ? Scope.LocalNetwork : Scope.World;
}
