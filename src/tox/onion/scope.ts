/**
 * From where an address can be reached. A hop forwards packets to a narrow address only if they came from one (onion-relay), and
 * 127.0.0.1 is another host for each. So a path goes from narrow addresses to wider ones, never back, and the addresses of its hops
 * must not be wider than that of the destination.
 */
import type { Endpoint } from '../../base/endpoint.js';

export const Scope = { Machine: 0, LocalNetwork: 1, World: 2 } as const;
export type Scope = (typeof Scope)[keyof typeof Scope];

export function scopeOf(endpoint: Endpoint): Scope {
  if (endpoint.isLoopback) return Scope.Machine;
  return endpoint.isLan ? Scope.LocalNetwork : Scope.World;
}
