/**
 * Asks the peer for a cookie by one route. Every peer of net_crypto answers at once by the way that the request came, and the echo
 * in each request is told to nobody else, so that an answer proves both directions of the route, and that the peer is at the address
 * (RFC 9000, 8.2: path validation). Neither packet belongs to a session: c-toxcore, which sends by the route on which it heard the
 * session last, does not change its route for them.
 */
import { type Random, randomId } from '../../base/random.js';
import { TokenBucket } from '../../base/token-bucket.js';

/** Requests by one route of which an answer is expected; at 4 a second, those of the last 4 s. */
const MAX_OPEN = 16;
/** Probes of routes that are not in use, a second and at once: four addresses, each every 250 ms. */
const OTHER_RATE = 16;
const OTHER_BURST = 32;

/** What one route was asked. */
interface Series {
  /** When the first request without an answer went, ms of the clock; Infinity while none is open. */
  since: number;
  /** When the last request went, ms of the clock. */
  sentAt: number;
  /** When requests without an answer went, by their echo. */
  readonly open: Map<bigint, number>;
}

/** What a cookie response says. */
export interface ProbeAnswer {
  readonly echo: bigint;
  readonly cookie: Buffer;
}

export interface RouteProbesDeps {
  readonly random: Random;
  /** A cookie request with this echo. */
  build(echo: bigint): Buffer;
  /** What a cookie response of the peer says; undefined when it is none. */
  read(packet: Buffer): ProbeAnswer | undefined;
}

export class RouteProbes {
  readonly #deps: RouteProbesDeps;
  readonly #otherTokens = new TokenBucket(OTHER_RATE, OTHER_BURST, 0);
  /** By the key of the route; there are no more than there are routes. */
  readonly #series = new Map<string, Series>();

  constructor(deps: RouteProbesDeps) {
    this.#deps = deps;
  }

  /** Whether a route that is not in use may be probed now; takes the permission. */
  mayProbeOther(now: number): boolean {
    return this.#otherTokens.take(now);
  }

  /** Returns the request that goes by this route now. */
  next(key: string, now: number): Buffer {
    const series = this.#series.get(key) ?? { since: Number.POSITIVE_INFINITY, sentAt: now, open: new Map() };
    this.#series.set(key, series);
    series.since = Math.min(series.since, now);
    series.sentAt = now;
    const [oldest] = series.open.keys();
    if (series.open.size >= MAX_OPEN && oldest !== undefined) series.open.delete(oldest);
    const echo = randomId(this.#deps.random);
    series.open.set(echo, now);
    return this.#deps.build(echo);
  }

  /** A cookie response came by this route. @returns the cookie, and ms since the request; undefined when it answers none */
  onAnswer(key: string, packet: Buffer, now: number): { readonly cookie: Buffer; readonly rtt: number } | undefined {
    const series = this.#series.get(key);
    if (series === undefined || series.open.size === 0) return undefined;
    const answer = this.#deps.read(packet);
    const sentAt = answer && series.open.get(answer.echo);
    if (answer === undefined || sentAt === undefined) return undefined;
    series.open.clear();
    series.since = Number.POSITIVE_INFINITY;
    return { cookie: answer.cookie, rtt: now - sentAt };
  }

  /** Since when requests by this route have had no answer, ms of the clock; Infinity while none is open. */
  unansweredSince(key: string): number {
    return this.#series.get(key)?.since ?? Number.POSITIVE_INFINITY;
  }

  /** When the last request went, ms of the clock; -Infinity for never. */
  sentAt(key: string): number {
    return this.#series.get(key)?.sentAt ?? Number.NEGATIVE_INFINITY;
  }

  /** The route is gone. */
  forget(key: string): void {
    this.#series.delete(key);
  }
}
