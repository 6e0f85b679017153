/** The record of the connections with one friend: the route of its packets and since when, and the last error. */
import type { Clock } from '../../base/clock.js';
import type { Endpoint } from '../../base/endpoint.js';
import type { CryptoConnection } from '../net-crypto/crypto-connection.js';
import type { Traffic } from '../net-crypto/stream/connection-host.js';

/** One moment by both clocks: the monotonic one and the wall clock. */
export interface Moment {
  /** ms of the clock. */
  readonly at: number;
  /** Seconds since 1970. */
  readonly unixTime: number;
}

export type FriendRoute =
  | { readonly kind: 'none' }
  | { readonly kind: 'direct'; readonly endpoint: Endpoint }
  | { readonly kind: 'relayed' };

/** @param endpoint undefined over relays */
export const routeTo = (endpoint: Endpoint | undefined): FriendRoute =>
  endpoint === undefined ? { kind: 'relayed' } : { kind: 'direct', endpoint };

export interface ConnectionError extends Moment {
  readonly text: string;
}

const NO_TRAFFIC: Traffic = {
  rtt: undefined,
  bytesIn: 0,
  bytesOut: 0,
  rateIn: 0,
  rateOut: 0,
  retransmissions: 0,
  lossyDropped: 0,
};

export class ConnectionRecord {
  readonly #clock: Clock;
  #route: FriendRoute = { kind: 'none' };
  #since: Moment;
  #lastError: ConnectionError | undefined;
  #traffic = NO_TRAFFIC;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#since = this.#now();
  }

  get route(): FriendRoute {
    return this.#route;
  }

  /** Since when the route is direct, relayed, or none; the friend may have moved meanwhile. */
  get since(): Moment {
    return this.#since;
  }

  /** Why the last connection, attempt or relay ended. */
  get lastError(): ConnectionError | undefined {
    return this.#lastError;
  }

  /** The traffic of the last connection that has ended. */
  get traffic(): Traffic {
    return this.#traffic;
  }

  setRoute(route: FriendRoute): void {
    if (route.kind !== this.#route.kind) this.#since = this.#now();
    this.#route = route;
  }

  setError(text: string): void {
    this.#lastError = { text, ...this.#now() };
  }

  /** The established connection has ended. */
  ended(connection: CryptoConnection): void {
    this.setRoute({ kind: 'none' });
    this.#traffic = { ...connection.traffic, rtt: undefined, rateIn: 0, rateOut: 0 };
  }

  #now(): Moment {
    return { at: this.#clock.now(), unixTime: this.#clock.unixTime() };
  }
}

/** Returns why a connection has ended, as text. @param reason a CloseReason, or such a text */
export function closeText(connection: CryptoConnection, reason: string): string {
  switch (reason) {
    case 'timeout':
      return connection.lastStage === 'cookie-requesting' ? 'cookie request timed out' : 'handshake timed out';
    case 'killed':
      return 'closed by the other side';
    case 'stuck':
      return 'a packet of the peer was missing for 60 s';
    case 'too large':
      return 'the path carries only smaller packets, and the peer does not understand packets in two parts';
    case 'replaced':
      return 'the peer has restarted the connection';
    default:
      return reason;
  }
}
