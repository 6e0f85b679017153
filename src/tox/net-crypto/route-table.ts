/**
 * The routes of one connection and the choice among them (c-toxcore: return_ip_port_connection): heard of lately before
 * not, then LAN over IPv4, then IPv6, then IPv4; relays only while no UDP route is alive. That the peer is heard on a route
 * does not make it alive where it is wanted that the other direction is proven, too. Among the dead the one that was heard
 * last is the best guess, and hearsay the worst.
 */
import type { Route } from './route.js';

/** Specification (UDP_DIRECT_TIMEOUT): ms after which a silent UDP route no longer counts as direct. */
const DIRECT_TIMEOUT = 8000;

/** Both sides speak at least once a second, so a route this many ms behind another one was left by the peer. */
const LEFT_BEHIND = 2500;
/** So many ms behind a relay, for a peer whose datagrams arrive does not send by a relay. */
const LEFT_FOR_RELAY = 500;
/** Addresses of one peer. LAN, public, a rebound port and IPv6 fit; more is hearsay. */
const MAX_UDP_ROUTES = 4;
/** Relays that tie two peers; c-toxcore uses up to 3. */
const MAX_RELAY_ROUTES = 4;

/** What is known of the direction from us to the peer: that it works, nothing, or that it has to be proven before it is used. */
export type Proof = 'given' | 'unknown' | 'wanted';

/** What counts in the choice; see `best`. */
interface Choice {
  readonly isUdpBlocked?: () => boolean;
  readonly needsReceived?: boolean;
  readonly isProven?: (key: string) => boolean;
  readonly current?: string | undefined;
}

/** The rank from which on a route over UDP is proven and alive. */
const IN_USE = 20;

interface Entry {
  readonly route: Route;
  receivedAt: number;
  proof: Proof;
  /** The peer was found elsewhere, and has not been heard here since. */
  isLeft: boolean;
  /** Until when the peer, which is not heard here yet, has time to come over from a relay, ms. */
  graceUntil: number;
}

export class RouteTable {
  readonly #entries: Entry[] = [];
  /** Of routes to come. */
  #newProof: Proof = 'unknown';
  #latestReceivedAt = Number.NEGATIVE_INFINITY;

  get all(): readonly Route[] {
    return this.#entries.map((entry) => entry.route);
  }

  has(key: string): boolean {
    return this.#entry(key) !== undefined;
  }

  find(key: string): Route | undefined {
    return this.#entry(key)?.route;
  }

  /** Adds a route. @returns what had to go for it: the one of its sort that was silent longest */
  add(route: Route): Route | undefined {
    if (this.has(route.key)) return undefined;
    const isRelay = route.kind === 'relay';
    const rivals = this.#entries.filter((entry) => (entry.route.kind === 'relay') === isRelay);
    this.#entries.push({
      route,
      receivedAt: Number.NEGATIVE_INFINITY,
      proof: this.#newProof,
      isLeft: false,
      graceUntil: Number.NEGATIVE_INFINITY,
    });
    if (rivals.length < (isRelay ? MAX_RELAY_ROUTES : MAX_UDP_ROUTES)) return undefined;
    const oldest = rivals.reduce((a, b) => (b.receivedAt < a.receivedAt ? b : a));
    this.remove(oldest.route.key);
    return oldest.route;
  }

  remove(key: string): Route | undefined {
    const at = this.#entries.findIndex((entry) => entry.route.key === key);
    return at < 0 ? undefined : this.#entries.splice(at, 1)[0]?.route;
  }

  /** A packet that only the peer can have made came this way. @returns when one did before, ms; undefined when the route is not known */
  onReceived(key: string, now: number): number | undefined {
    const entry = this.#entry(key);
    if (entry === undefined) return undefined;
    const before = entry.receivedAt;
    entry.receivedAt = now;
    entry.isLeft = false;
    this.#latestReceivedAt = now;
    return before;
  }

  /** When a packet came over this route, ms; -Infinity for never. */
  receivedAt(key: string): number {
    return this.#entry(key)?.receivedAt ?? Number.NEGATIVE_INFINITY;
  }

  /** What we send on this route arrives. @param graceUntil until when it is used although the peer speaks by relays, ms */
  onProven(key: string, graceUntil?: number): void {
    const entry = this.#entry(key);
    if (entry === undefined) return;
    entry.proof = 'given';
    entry.graceUntil = graceUntil ?? entry.graceUntil;
  }

  /** What we send on this route does not arrive; or, without a key, nothing is known of any UDP route, of those to come neither. */
  requireProof(key?: string): void {
    if (key === undefined) this.#newProof = 'wanted';
    for (const entry of this.#entries) {
      if (entry.route.kind !== 'relay' && (key === undefined || entry.route.key === key)) entry.proof = 'wanted';
    }
  }

  /** UDP is in use: what comes there by new routes may be followed. */
  trustNew(): void {
    this.#newProof = 'unknown';
  }

  proofOf(key: string): Proof {
    return this.#entry(key)?.proof ?? 'unknown';
  }

  /** The peer is elsewhere; the route counts as dead until it is heard again. */
  leave(key: string): void {
    const entry = this.#entry(key);
    if (entry !== undefined) entry.isLeft = true;
  }

  /** Whether what went there of late is lost. */
  hasFailed(key: string): boolean {
    const entry = this.#entry(key);
    return entry !== undefined && (entry.isLeft || entry.proof === 'wanted');
  }

  #entry(key: string): Entry | undefined {
    for (const entry of this.#entries) if (entry.route.key === key) return entry;
    return undefined;
  }

  /** When a packet came over any route, ms; -Infinity for never. */
  get latestReceivedAt(): number {
    return this.#latestReceivedAt;
  }

  /**
   * Where to send now.
   * @param options.isUdpBlocked UDP gets no answer from anybody: a route has to be proven
   * @param options.needsHearing the peer takes packets only where it sends: a relay at which it may be goes before a route that failed
   * @param options.isProven whether the peer is at an address for sure; others are worse than a relay
   * @param options.current an address that is as good as any stays in use
   */
  best(now: number, options: Choice = {}): Route | undefined {
    let best: Entry | undefined;
    let bestRank = Number.NEGATIVE_INFINITY;
    for (const entry of this.#entries) {
      const rank = this.#rank(entry, now, options);
      const isEqual = rank === bestRank;
      if (isEqual && rank >= IN_USE && best?.route.key === options.current) continue;
      const isPreferred = rank >= IN_USE && entry.route.key === options.current;
      if (best === undefined || rank > bestRank || (isEqual && (isPreferred || entry.receivedAt >= best.receivedAt))) {
        best = entry;
        bestRank = rank;
      }
    }
    return best?.route;
  }

  #rank(entry: Entry, now: number, options: Choice): number {
    const { isUdpBlocked = () => false, needsReceived: needsHearing = false, isProven = () => true } = options;
    const { route, receivedAt: heardAt, proof } = entry;
    if (route.kind === 'relay') return route.state !== 'doubtful' ? 10 : needsHearing && this.#hasFailed ? 6 : -1;
    const family = route.kind === 'udp6' ? 1 : route.isLan ? 2 : 0;
    const isTrusted = proof === 'given' || (proof === 'unknown' && !isUdpBlocked());
    if (isTrusted && this.#isAlive(entry, now)) return isProven(route.key) ? IN_USE + family : 8;
    if (heardAt === Number.NEGATIVE_INFINITY) return family;
    return isProven(route.key) ? 5 : 4;
  }

  /** Whether some UDP route carried packets, and does not. */
  get #hasFailed(): boolean {
    return this.#entries.some(
      ({ proof, receivedAt: heardAt }) => proof === 'wanted' && heardAt > Number.NEGATIVE_INFINITY,
    );
  }

  #isAlive({ receivedAt: heardAt, graceUntil, isLeft }: Entry, now: number): boolean {
    if (isLeft) return false;
    if (now < graceUntil) return true;
    if (this.latestUdpReceivedAt - heardAt > LEFT_BEHIND) return false;
    const relays = this.#entries.filter(({ route }) => route.kind === 'relay' && route.state !== 'doubtful');
    // With a relay at hand there is no need to hope for long.
    if (now - heardAt > (relays.length > 0 ? LEFT_BEHIND : DIRECT_TIMEOUT)) return false;
    return relays.every((relay) => relay.receivedAt - heardAt <= LEFT_FOR_RELAY);
  }

  /** When a packet came over any UDP route, ms; -Infinity for never. */
  get latestUdpReceivedAt(): number {
    let latest = Number.NEGATIVE_INFINITY;
    for (const { route, receivedAt: heardAt } of this.#entries)
      if (route.kind !== 'relay' && heardAt > latest) latest = heardAt;
    return latest;
  }

  /** Whether this UDP route carried a packet of the peer within 8 s, or is expected to do so at once. */
  isReachable(key: string, now: number): boolean {
    const entry = this.#entry(key);
    return entry !== undefined && now - Math.max(entry.receivedAt, entry.graceUntil) <= DIRECT_TIMEOUT;
  }

  /** Whether some UDP route carried a packet of the peer within 8 s. */
  isDirect(now: number): boolean {
    return now - this.latestUdpReceivedAt <= DIRECT_TIMEOUT;
  }

  /** Whether one did so lately enough that no other way need be thought of. */
  isSurelyDirect(now: number): boolean {
    return now - this.latestUdpReceivedAt <= LEFT_BEHIND;
  }
}
