/**
 * The facts about the connection with one friend, for people and programs (JSON). friend/connection-record stores what they are made
 * of. A friend is relayed for one of these reasons:
 *
 *     proxy             everything goes through our proxy, which carries no UDP
 *     udp-off           our UDP is disabled
 *     udp-blocked       no node answers us by UDP, although relays do
 *     peer-tcp-only     our UDP works, and nodes that should know an address of the friend know none
 *     udp-one-way       the friend's packets come by UDP, and ours do not arrive there
 *     punching-failed   both have UDP, and no packet to any known address has got through for a while
 *     being-tried       none of these is certain yet
 */
import type { ConnectionRecord, Moment } from './friend/connection-record.js';
import type { FriendConnection, FriendReachability } from './friend/friend-connection.js';
import { type OwnUdp, type RelayFacts, relayFacts, UDP_STATES, type UdpState } from './network-facts.js';

/** ms after which nodes near the friend would have reported its address; a search takes three of them. */
const SEARCH_PATIENCE = 5_000;
/** ms after which a NAT that lets packets through in one direction would have opened in the other. */
const ONE_WAY_PATIENCE = 2_000;
/** ms of hole punching. It succeeds within two rounds of 3 s, or by luck much later. */
const PUNCHING_PATIENCE = 10_000;

export type RelayReason = Exclude<UdpState, 'works'> | 'peer-tcp-only' | 'udp-one-way' | 'punching-failed';

/**
 * Why there is no path. `no-network`: neither a node nor a relay answers us. `searching`: no node has reported the friend, which may
 * be offline. `connecting`: the friend was found, and is asked for a connection. `no-route`: the last route has just failed.
 */
export type NoPathReason = 'no-network' | 'searching' | 'connecting' | 'no-route';

interface Since {
  /** Seconds since 1970. */
  readonly since: number;
  /** ms since then, unaffected by changes of the wall clock. */
  readonly age: number;
}

/** A relay of the `peer` itself, or of `us`, is TCP between the two without a third machine. */
export interface PathRelay extends RelayFacts {
  readonly owner: FriendReachability['relayOwner'];
}

export type ConnectionPath =
  | ({ readonly kind: 'none'; readonly reason: NoPathReason } & Since)
  | ({ readonly kind: 'direct'; readonly endpoint: string } & Since)
  | ({ readonly kind: 'relayed'; readonly reason: RelayReason; readonly relay: PathRelay | undefined } & Since);

export interface FlowFacts {
  readonly bytes: number;
  /** Bytes a second over the last seconds. */
  readonly rate: number;
}

export interface ConnectionFacts {
  readonly path: ConnectionPath;
  /** Recent round trip, ms; undefined before one was measured. */
  readonly rtt: number | undefined;
  /** Traffic of this connection, or else the last one, with the overhead of net_crypto and without that of UDP and relays. */
  readonly received: FlowFacts;
  readonly sent: FlowFacts;
  /** Packets sent again. */
  readonly retransmissions: number;
  /** Lossy packets, which carry datagrams, for which there was no room. */
  readonly lossyDropped: number;
  /** Why the last connection, attempt or relay ended. */
  readonly lastError: ({ readonly text: string } & Since) | undefined;
}

/** Our own network, as it is when it is read. */
export interface OwnNetwork {
  readonly ownUdp: OwnUdp;
  /** Whether any node or relay answers us. */
  readonly hasNetwork: boolean;
}

/** The facts of one friend. @param now ms of the clock */
export function connectionFacts(friend: FriendConnection, own: OwnNetwork, now: number): ConnectionFacts {
  const { traffic, record } = friend;
  const { lastError } = record;
  return {
    path: connectionPath(friend, own, now),
    rtt: traffic.rtt,
    received: { bytes: traffic.bytesIn, rate: traffic.rateIn },
    sent: { bytes: traffic.bytesOut, rate: traffic.rateOut },
    retransmissions: traffic.retransmissions,
    lossyDropped: traffic.lossyDropped,
    lastError: lastError && { text: lastError.text, ...sinceThen(lastError, now) },
  };
}

/** Reads only the facts that this kind of path needs. @param now ms of the clock */
export function connectionPath(
  friend: Pick<FriendConnection, 'connection' | 'reachability'> & { readonly record: ConnectionRecord },
  own: OwnNetwork,
  now: number,
): ConnectionPath {
  const { route, since: start } = friend.record;
  const since = sinceThen(start, now);
  switch (route.kind) {
    case 'none':
      return { kind: 'none', reason: noPathReason(friend, own), ...since };
    case 'direct':
      return { kind: 'direct', endpoint: route.endpoint.key, ...since };
    case 'relayed': {
      const { relay, relayOwner: owner, ...seen } = friend.reachability;
      const reason = relayReason({ ownUdp: own.ownUdp, relayedSince: start.at, ...seen }, now);
      return { kind: 'relayed', reason, relay: relay && { ...relayFacts(relay), owner }, ...since };
    }
  }
}

const sinceThen = ({ at, unixTime }: Moment, now: number): Since => ({ since: unixTime, age: now - at });

function noPathReason(friend: Pick<FriendConnection, 'connection' | 'reachability'>, own: OwnNetwork): NoPathReason {
  if (friend.connection !== undefined) return 'no-route';
  if (!own.hasNetwork) return 'no-network';
  return friend.reachability.soughtSince === undefined ? 'searching' : 'connecting';
}

/**
 * How far we are on the way to a friend that is not connected. `bootstrapping`: neither a node nor a relay answers us. `searching`: no
 * node has reported the friend. `asking`: nodes store it, and it is asked for a connection through them. `punching`: an address of it
 * is known, and both sides send there.
 */
export type ConnectionStage = 'bootstrapping' | 'searching' | 'asking' | 'punching';

type StagedFriend = Pick<FriendConnection, 'connection' | 'reachability'> & {
  readonly discovery: Pick<FriendConnection['discovery'], 'standing'>;
};

/** Returns undefined while there is a connection. */
export function connectionStage(
  { connection, reachability, discovery }: StagedFriend,
  { ownUdp, hasNetwork }: OwnNetwork,
): ConnectionStage | undefined {
  if (connection !== undefined) return undefined;
  if (!hasNetwork) return 'bootstrapping';
  const { soughtSince, seenSince } = reachability;
  const hasUdp = ownUdp.kind !== 'proxy' && ownUdp.kind !== 'off';
  if (hasUdp && seenSince !== undefined) return 'punching';
  return soughtSince === undefined && discovery.standing.kind === 'sought' ? 'searching' : 'asking';
}

export interface RelayEvidence extends Omit<FriendReachability, 'relay' | 'relayOwner'> {
  readonly ownUdp: OwnUdp;
  /** Since when relays carry the packets, ms of the clock. */
  readonly relayedSince: number;
}

/** Returns why a friend is relayed, from what was seen alone. @param now ms of the clock */
export function relayReason(evidence: RelayEvidence, now: number): RelayReason {
  const { ownUdp, relayedSince, soughtSince, seenSince, answeredAt, isOneWay } = evidence;
  if (ownUdp.kind !== 'answers') return UDP_STATES[ownUdp.kind];
  // The friend's DHT node is reached by UDP; only the connection has not changed to it yet.
  if (answeredAt !== undefined && answeredAt > relayedSince) return 'being-tried';
  if (isOneWay && now - relayedSince >= ONE_WAY_PATIENCE) return 'udp-one-way';
  if (seenSince !== undefined) {
    const triedSince = Math.max(ownUdp.since, relayedSince, seenSince);
    return now - triedSince >= PUNCHING_PATIENCE ? 'punching-failed' : 'being-tried';
  }
  if (soughtSince === undefined) return 'being-tried';
  return now - Math.max(ownUdp.since, soughtSince) >= SEARCH_PATIENCE ? 'peer-tcp-only' : 'being-tried';
}
