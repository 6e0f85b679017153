/**
 * Why a friend is reached over relays and not directly, from what was seen on the way and from nothing else. Pure.
 *
 *     proxy             our own: with a proxy everything goes through it, and UDP does not
 *     udp-off           our own: it was not wanted
 *     udp-blocked       our own: nodes were asked by UDP, and none answers, though relays do
 *     peer-tcp-only     our UDP works; nodes that should know an address of the friend know none
 *     udp-one-way       the friend's packets come by UDP, and what we send there does not arrive
 *     punching-failed   both have UDP, and packets were sent to all known addresses for a while: none came through
 *     being-tried       none of these is certain yet
 */
import type { UdpHealth } from '../dht/rpc/udp-health.js';

/** Ms after which nodes near the friend would have told its address; a search takes three of them. */
const SEARCH_PATIENCE = 5_000;
/** Ms after which a hole that opens for one of the two is open for the other, or never. */
const ONE_WAY_PATIENCE = 2_000;
/** Ms of NAT pings and knocking; a punched hole opens within two rounds of 3 s, or by luck much later. */
const PUNCHING_PATIENCE = 10_000;

export type RelayReason =
  | 'proxy'
  | 'udp-off'
  | 'udp-blocked'
  | 'peer-tcp-only'
  | 'udp-one-way'
  | 'punching-failed'
  | 'being-tried';

/** Our own UDP: why there is none, or how it fares. */
export type OwnUdp = { readonly kind: 'proxy' } | { readonly kind: 'off' } | UdpHealth;

/** Times are ms of the clock. */
export interface RelayEvidence {
  readonly ownUdp: OwnUdp;
  /** Since when relays carry the packets. */
  readonly relayedSince: number;
  /** Since when the DHT is asked for the friend; undefined while its DHT key is not known. */
  readonly soughtSince: number | undefined;
  /** Since when it answers from a UDP address, or nodes report one. */
  readonly seenSince: number | undefined;
  /** When it answered by UDP last. */
  readonly answeredAt: number | undefined;
  /** Whether its packets come by UDP, and ours do not arrive there. */
  readonly isOneWay: boolean;
}

export function relayReason(evidence: RelayEvidence, now: number): RelayReason {
  const { ownUdp, relayedSince, soughtSince, seenSince, answeredAt, isOneWay } = evidence;
  switch (ownUdp.kind) {
    case 'proxy':
      return 'proxy';
    case 'off':
      return 'udp-off';
    case 'silent':
      return 'udp-blocked';
    case 'untried':
      return 'being-tried';
    case 'answers':
      // UDP does get through, to its DHT node: the connection has only not gone over to it.
      if (answeredAt !== undefined && answeredAt > relayedSince) return 'being-tried';
      if (isOneWay && now - relayedSince >= ONE_WAY_PATIENCE) return 'udp-one-way';
      if (seenSince !== undefined) {
        const triedSince = Math.max(ownUdp.since, relayedSince, seenSince);
        return now - triedSince >= PUNCHING_PATIENCE ? 'punching-failed' : 'being-tried';
      }
      if (soughtSince === undefined) return 'being-tried';
      return now - Math.max(ownUdp.since, soughtSince) >= SEARCH_PATIENCE ? 'peer-tcp-only' : 'being-tried';
  }
}
