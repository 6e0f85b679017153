/** The limits of each peer that is a client: how fast its tunnels carry bytes, and how many it may have. */
import type { Clock } from '../../base/clock.js';
import { RateLimit } from '../stream/rate-limit.js';
import type { RateLimits } from '../stream/tunnel.js';

export interface PeerLimits {
  /** Bytes per second in each direction; undefined: no limit. */
  readonly rate: number | undefined;
  /** Undefined: no limit of its own. */
  readonly maxTunnels: number | undefined;
}

export const NO_LIMITS: PeerLimits = { rate: undefined, maxTunnels: undefined };

/** Returns the present limits of a peer. */
export type LimitsOf = (peerId: string) => PeerLimits;

export class PeerRates {
  readonly #clock: Clock;
  readonly #limitsOf: LimitsOf;
  readonly #rates = new Map<string, RateLimits>();

  constructor(clock: Clock, limitsOf: LimitsOf) {
    this.#clock = clock;
    this.#limitsOf = limitsOf;
  }

  /** The rates of a peer: the same for all its tunnels. */
  of(peerId: string): RateLimits {
    let rates = this.#rates.get(peerId);
    if (rates === undefined) {
      const { rate } = this.#limitsOf(peerId);
      rates = { toPeer: new RateLimit(this.#clock, rate), fromPeer: new RateLimit(this.#clock, rate) };
      this.#rates.set(peerId, rates);
    }
    return rates;
  }

  /** Called when the peer is gone. One with a limit, of which the owner has so many, does not get rid of its debt by coming back. */
  forget(peerId: string): void {
    if (this.#rates.get(peerId)?.toPeer.isLimited === false) this.#rates.delete(peerId);
  }

  /** Applies limits that have changed. */
  update(): void {
    for (const [peerId, { toPeer, fromPeer }] of this.#rates) {
      const { rate } = this.#limitsOf(peerId);
      toPeer.limitTo(rate);
      fromPeer.limitTo(rate);
    }
  }
}
