/** The record of the connections with one friend: the route of its packets and since when, and the last failure. */
import type { Clock } from '../../base/clock.js';
import type { Endpoint } from '../../base/endpoint.js';
import type { Traffic } from '../net-crypto/connection-host.js';
import type { CryptoConnection } from '../net-crypto/crypto-connection.js';

/** One moment by both clocks: the monotonic one and the wall clock. */
export interface Moment {
  /** ms of the clock. */
  readonly at: number;
  /** Seconds since 1970. */
  readonly unixTime: number;
}

export type Way =
  | { readonly kind: 'none' }
  | { readonly kind: 'direct'; readonly endpoint: Endpoint }
  | { readonly kind: 'relayed' };

/** @param endpoint undefined over relays */
export const wayTo = (endpoint: Endpoint | undefined): Way =>
  endpoint === undefined ? { kind: 'relayed' } : { kind: 'direct', endpoint };

export interface Failure extends Moment {
  readonly text: string;
}

const NO_TRAFFIC: Traffic = { rtt: undefined, bytesIn: 0, bytesOut: 0, rateIn: 0, rateOut: 0, retransmissions: 0 };

export class ConnectionRecord {
  readonly #clock: Clock;
  #way: Way = { kind: 'none' };
  #since: Moment;
  #failure: Failure | undefined;
  #traffic = NO_TRAFFIC;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#since = this.#now();
  }

  get way(): Way {
    return this.#way;
  }

  /** Since when packets go directly, over relays, or nowhere; the friend may have moved meanwhile. */
  get since(): Moment {
    return this.#since;
  }

  /** Why the last connection, attempt or relay ended. */
  get failure(): Failure | undefined {
    return this.#failure;
  }

  /** The traffic of the last connection that has ended. */
  get traffic(): Traffic {
    return this.#traffic;
  }

  setRoute(way: Way): void {
    if (way.kind !== this.#way.kind) this.#since = this.#now();
    this.#way = way;
  }

  setFailure(text: string): void {
    this.#failure = { text, ...this.#now() };
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

/** Why a connection ended, in words. @param reason a CloseReason, or words already */
export function endingOf(connection: CryptoConnection, reason: string): string {
  switch (reason) {
    case 'timeout':
      return connection.lastStage === 'cookie-requesting' ? 'cookie request timed out' : 'handshake timed out';
    case 'killed':
      return 'ended by the other side';
    case 'stuck':
      return 'a packet of the peer was missing for 60 s';
    case 'too large':
      return 'the path takes smaller packets only, and the peer reads no halves of those under way';
    case 'replaced':
      return 'the peer began anew';
    default:
      return reason;
  }
}
