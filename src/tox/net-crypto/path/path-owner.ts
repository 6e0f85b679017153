/** What a path needs from its connection. */
import type { Deliveries } from './confirmation.js';
import type { Route } from './route.js';
import type { RouteProbesDeps } from './route-probes.js';

export interface PathDeps extends RouteProbesDeps {
  /** Packets on this route belong to the connection from now on. @param isProven whether the peer is proven to be at its address */
  bind(route: Route, isProven: boolean): void;
  unbind(route: Route): void;
  /** Packets take another route from now on. @param hasFailed whether the packets on the route before were lost */
  onChange(route: Route | undefined, hasFailed: boolean): void;
  /** The peer is reached on another route, or on none: a UDP route counts only if it received packets recently. */
  onReachable(route: Route | undefined): void;
  /** UDP is known to reach the peer, or no longer: then relays should be available. */
  onDirectChange(isDirect: boolean): void;
  /** The system refused a packet, so a route has to be chosen again. */
  onRefused(): void;
  /** Whether UDP gets no answers at all. */
  isUdpBlocked(): boolean;
  /** ms of the clock. */
  now(): number;
}

/** What the session knows about the path. */
export interface Evidence extends Deliveries {
  /** Whether several probes have had no answer. */
  readonly isUnanswered: boolean;
  /** Whether the peer accepts session packets from any address; c-toxcore accepts them only from addresses that it knows. */
  readonly isOurKind: boolean;
}
