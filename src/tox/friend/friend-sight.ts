/** What is known of the way to one friend, for those who tell why it is the way it is. */
import type { DhtSearch } from '../dht/search/search.js';
import type { NodeInfo } from '../packet/node-info.js';
import type { FriendRelays, RelayOwner } from './friend-relays.js';

/** What is known of the way to a friend. Times are ms of the clock. */
export interface FriendSight {
  /** Since when its DHT key is known, and its address asked for; undefined while it is not. */
  readonly soughtSince: number | undefined;
  /** Since when it is known to have UDP. */
  readonly seenSince: number | undefined;
  /** When its DHT node answered us by UDP last. */
  readonly answeredAt: number | undefined;
  /** Whether its packets come by UDP, and ours do not arrive there. */
  readonly isOneWay: boolean;
  /** The relay over which packets would go. */
  readonly relay: NodeInfo | undefined;
  readonly relayOwner: RelayOwner;
}

/** @param search for its DHT key; undefined while that is not known */
export function sightOf(search: DhtSearch | undefined, relays: FriendRelays, isOneWay: boolean): FriendSight {
  return {
    soughtSince: search?.soughtSince,
    seenSince: search?.seenSince,
    answeredAt: search?.answeredAt,
    isOneWay,
    relay: relays.carrier,
    relayOwner: relays.carrierOwner,
  };
}
