/**
 * Asks the peer for a cookie by one UDP route. Every peer of net_crypto answers at once by the way that the request came, so
 * an answer proves both directions of the route (RFC 9000, 8.2: path validation). Neither packet belongs to the session:
 * c-toxcore, which sends by the route on which it heard the session last, does not change its route for them.
 */
import { type Random, randomId } from '../../base/random.js';

/** Requests that went by one route since its last answer. All have the same echo. */
interface Series {
  readonly echo: bigint;
  /** When the first and the last request went, ms of the clock. */
  readonly since: number;
  readonly sentAt: number;
}

export interface RouteProbesDeps {
  readonly random: Random;
  /** A cookie request with this echo. */
  build(echo: bigint): Buffer;
  /** Whether this packet is the peer's answer to the request with this echo. */
  isAnswer(packet: Buffer, echo: bigint): boolean;
}

export class RouteProbes {
  readonly #deps: RouteProbesDeps;
  /** By the key of the route; there are no more than there are routes. */
  readonly #series = new Map<string, Series>();

  constructor(deps: RouteProbesDeps) {
    this.#deps = deps;
  }

  /** The request that goes by this route now. */
  next(key: string, now: number): Buffer {
    const { echo, since } = this.#series.get(key) ?? { echo: randomId(this.#deps.random), since: now };
    this.#series.set(key, { echo, since, sentAt: now });
    return this.#deps.build(echo);
  }

  /** A cookie response came by this route. @returns ms since the last request; undefined when it answers none */
  answered(key: string, packet: Buffer, now: number): number | undefined {
    const series = this.#series.get(key);
    if (series === undefined || !this.#deps.isAnswer(packet, series.echo)) return undefined;
    this.#series.delete(key);
    return now - series.sentAt;
  }

  /** Since when requests by this route have had no answer, ms of the clock; Infinity while none is open. */
  unansweredSince(key: string): number {
    return this.#series.get(key)?.since ?? Number.POSITIVE_INFINITY;
  }

  /** When the last open request went, ms of the clock; -Infinity while none is open. */
  sentAt(key: string): number {
    return this.#series.get(key)?.sentAt ?? Number.NEGATIVE_INFINITY;
  }

  /** The route is gone. */
  forget(key: string): void {
    this.#series.delete(key);
  }
}
