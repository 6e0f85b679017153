/** The addresses of a target's name, for the owner who asks what may be reached: found as those of requests are. */
import type { Clock } from '../../base/clock.js';
import { NameLookup } from '../../tunnel/server/name-lookup.js';

/** Resolves to none for a name that has none, or that no name server tells. */
export type TargetAddresses = (host: string) => Promise<readonly string[]>;

/** Who asks; it competes with no client. */
const OWNER = '';

export function targetAddresses(clock: Clock): TargetAddresses {
  const names = new NameLookup(clock);
  return (host) =>
    new Promise((resolve) => {
      names.lookup(OWNER, host, (error, addresses) => resolve(error ? [] : addresses.map(({ address }) => address)));
    });
}
