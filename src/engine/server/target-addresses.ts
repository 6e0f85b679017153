/** Looks up the addresses of a target for the owner's `rules check`, as those of requests are looked up. */
import type { Clock } from '../../base/clock.js';
import { NameLookup } from '../../tunnel/server/name-lookup.js';

/** Resolves to an empty list for a name that has no address or cannot be looked up. */
export type TargetAddresses = (host: string) => Promise<readonly string[]>;

/** The lookups of the owner do not compete with those of clients. */
const OWNER = '';

export function targetAddresses(clock: Clock): TargetAddresses {
  const names = new NameLookup(clock);
  return (host) =>
    new Promise((resolve) => {
      names.lookup(OWNER, host, (error, addresses) => resolve(error ? [] : addresses.map(({ address }) => address)));
    });
}
