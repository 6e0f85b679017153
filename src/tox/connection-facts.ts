/**
 * The facts about the connection with one friend, for people and programs, as they stand (JSON). What they are made of is
 * kept by friend/connection-record; why a friend is relayed is judged by friend/relay-reason.
 */
import type { ConnectionRecord, Moment } from './friend/connection-record.js';
import type { FriendReachability } from './friend/friend-connection.js';
import { type OwnUdp, type RelayReason, relayReason } from './friend/relay-reason.js';
import type { Traffic } from './net-crypto/connection-host.js';
import { type RelayFacts, relayFacts } from './network-facts.js';

/**
 * Why there is no way. `no-network`: neither a node nor a relay answers us. `searching`: nobody has told where the friend is,
 * which may be away. `connecting`: it was found, and is asked for a connection. `no-route`: the last way has just ended.
 */
export type NoPathReason = 'no-network' | 'searching' | 'connecting' | 'no-route';

interface Since {
  /** Seconds since 1970. */
  readonly since: number;
  /** ms that it has been so, whatever was done to the clock of the wall. */
  readonly age: number;
}

/** A relay of the `peer` itself, or of `us`, is TCP between the two without anybody else. */
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
  /** Of this connection, or the last one; what net_crypto adds is counted, what UDP and relays add is not. */
  readonly received: FlowFacts;
  readonly sent: FlowFacts;
  /** Packets sent again. */
  readonly retransmissions: number;
  /** Why the last connection ended, an attempt failed, or a relay on the way did. */
  readonly lastError: ({ readonly text: string } & Since) | undefined;
}

/** What the path is judged by. */
export interface PathEvidence {
  readonly record: ConnectionRecord;
  readonly reachability: FriendReachability;
  readonly isEstablished: boolean;
  readonly ownUdp: OwnUdp;
  /** Whether any node or relay answers us. */
  readonly hasNetwork: boolean;
}

/** @param now ms of the clock */
export function connectionFacts(now: number, evidence: PathEvidence, traffic: Traffic): ConnectionFacts {
  const { failure } = evidence.record;
  return {
    path: connectionPath(now, evidence),
    rtt: traffic.rtt,
    received: { bytes: traffic.bytesIn, rate: traffic.rateIn },
    sent: { bytes: traffic.bytesOut, rate: traffic.rateOut },
    retransmissions: traffic.retransmissions,
    lastError: failure && { text: failure.text, ...sinceThen(failure, now) },
  };
}

/** Of the evidence only what the way asks for is looked at: of a direct one, that it is. @param now ms of the clock */
export function connectionPath(now: number, evidence: PathEvidence): ConnectionPath {
  const { record } = evidence;
  const { way } = record;
  const since = sinceThen(record.since, now);
  switch (way.kind) {
    case 'none':
      return { kind: 'none', reason: noPathReason(evidence), ...since };
    case 'direct':
      return { kind: 'direct', endpoint: way.endpoint.key, ...since };
    case 'relayed': {
      const { ownUdp, reachability } = evidence;
      const { relay, relayOwner: owner, ...seen } = reachability;
      const reason = relayReason({ ownUdp, relayedSince: record.since.at, ...seen }, now);
      return { kind: 'relayed', reason, relay: relay && { ...relayFacts(relay), owner }, ...since };
    }
  }
}

const sinceThen = ({ at, unixTime }: Moment, now: number): Since => ({ since: unixTime, age: now - at });

function noPathReason(evidence: PathEvidence): NoPathReason {
  if (evidence.isEstablished) return 'no-route';
  if (!evidence.hasNetwork) return 'no-network';
  return evidence.reachability.soughtSince === undefined ? 'searching' : 'connecting';
}
