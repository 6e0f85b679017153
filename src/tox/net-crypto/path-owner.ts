/** What a path needs of the connection that it belongs to. */
import type { Random } from '../../base/random.js';
import type { Deliveries } from './confirmation.js';
import type { Route } from './route.js';
import type { ProbeAnswer } from './route-probes.js';

export interface PathDeps {
  readonly random: Random;
  /** A cookie request with this echo. */
  buildProbe(echo: bigint): Buffer;
  /** What a cookie response of the peer says; undefined when it is none. */
  readProbeAnswer(packet: Buffer): ProbeAnswer | undefined;
  /** Packets that come over this route are the connection's from now on. @param isProven whether the peer is at its address for sure */
  bind(route: Route, isProven: boolean): void;
  unbind(route: Route): void;
  /** Packets go by another route from now on. @param hasFailed whether those that went by the one before were lost */
  onChange(route: Route | undefined, hasFailed: boolean): void;
  /** The peer is reached another way, or by none: over UDP only what it was heard on lately is one. */
  onReachable(route: Route | undefined): void;
  /** UDP reaches the peer for sure, or may not do so any more: then relays should be at hand. */
  onDirectChange(isDirect: boolean): void;
  /** The system refused a packet, and there is something to choose. */
  onRefused(): void;
  /** Whether UDP gets no answer from anybody. */
  isUdpBlocked(): boolean;
  /** ms of the clock. */
  now(): number;
}

/** What the stream of packets tells. */
export interface Evidence extends Deliveries {
  /** What was sent last should have been confirmed long ago. */
  readonly isUnanswered: boolean;
  /** The peer takes packets of the session from any address; c-toxcore only from those that it has. */
  readonly isOurKind: boolean;
}
