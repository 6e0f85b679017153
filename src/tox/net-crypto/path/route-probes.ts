/**
 * Path probes: cookie requests on one route. Every net_crypto peer answers at once on the route of the request, and each request
 * has its own secret echo, so an answer proves both directions of the route and the peer's address (RFC 9000, 8.2: path
 * validation). Neither packet belongs to a session: c-toxcore, which sends on the route where it last received a packet of the
 * session, does not change its route because of them.
 */
import { type Random, randomId } from '../../../base/random.js';
import { TokenBucket } from '../../../base/token-bucket.js';

/** Open requests on one route; at 4 a second, those of the last 4 s. */
const MAX_OPEN = 16;
/** Probes of routes that are not in use, a second and at once: four addresses, each every 250 ms. */
const OTHER_RATE = 16;
const OTHER_BURST = 32;

/** The requests on one route. */
interface Series {
  /** When the first unanswered request was sent, ms of the clock; Infinity while none is open. */
  since: number;
  /** When the last request was sent, ms of the clock. */
  sentAt: number;
  /** When each unanswered request was sent, by its echo. */
  readonly open: Map<bigint, number>;
}

/** The content of a cookie response. */
export interface ProbeAnswer {
  readonly echo: bigint;
  readonly cookie: Buffer;
}

export interface RouteProbesDeps {
  readonly random: Random;
  /** Returns a cookie request with this echo. */
  buildProbe(echo: bigint): Buffer;
  /** Returns the content of the peer's cookie response; undefined if the packet is none. */
  readProbeAnswer(packet: Buffer): ProbeAnswer | undefined;
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

  /** Returns the next request for this route. */
  next(key: string, now: number): Buffer {
    const series = this.#series.get(key) ?? { since: Number.POSITIVE_INFINITY, sentAt: now, open: new Map() };
    this.#series.set(key, series);
    series.since = Math.min(series.since, now);
    series.sentAt = now;
    const [oldest] = series.open.keys();
    if (series.open.size >= MAX_OPEN && oldest !== undefined) series.open.delete(oldest);
    const echo = randomId(this.#deps.random);
    series.open.set(echo, now);
    return this.#deps.buildProbe(echo);
  }

  /** A cookie response arrived on this route. @returns the cookie, and ms since the request; undefined if it answers none */
  onAnswer(key: string, packet: Buffer, now: number): { readonly cookie: Buffer; readonly rtt: number } | undefined {
    const series = this.#series.get(key);
    if (series === undefined || series.open.size === 0) return undefined;
    const answer = this.#deps.readProbeAnswer(packet);
    const sentAt = answer && series.open.get(answer.echo);
    if (answer === undefined || sentAt === undefined) return undefined;
    series.open.clear();
    series.since = Number.POSITIVE_INFINITY;
    return { cookie: answer.cookie, rtt: now - sentAt };
  }

  /** Since when requests on this route have had no answer, ms of the clock; Infinity while none is open. */
  unansweredSince(key: string): number {
    return this.#series.get(key)?.since ?? Number.POSITIVE_INFINITY;
  }

  /** When the last request was sent, ms of the clock; -Infinity for never. */
  sentAt(key: string): number {
    return this.#series.get(key)?.sentAt ?? Number.NEGATIVE_INFINITY;
  }

  /** The route was removed. */
  forget(key: string): void {
    this.#series.delete(key);
  }
}
