/**
 * The routes of one connection and the choice among them (c-toxcore: return_ip_port_connection): live routes first, then LAN over
 * IPv4, IPv6, IPv4; relays only while no UDP route is live. Where proof of the other direction is required, receiving packets
 * does not make a route live. Among dead routes, the one that received last is the best guess, and one that never did the worst.
 */
import type { Route } from './route.js';

/** Specification (UDP_DIRECT_TIMEOUT): ms after which a silent UDP route no longer counts as direct. */
const DIRECT_TIMEOUT = 8000;

/** Both sides send at least once a second, so the peer has left a route that is this many ms behind another one. */
const LEFT_BEHIND = 2500;
/** The same in ms behind a relay, since a peer whose datagrams arrive does not send by a relay. */
const LEFT_FOR_RELAY = 500;
/** Addresses of one peer: enough for LAN, public, a rebound port and IPv6. */
const MAX_UDP_ROUTES = 4;
/** Relays between two peers; c-toxcore uses up to 3. */
const MAX_RELAY_ROUTES = 4;

/** What is known about the direction from us to the peer: it works, nothing, or it must be proven before it is used. */
type Proof = 'proven' | 'unknown' | 'required';

/** The criteria of the choice; see `best`. */
interface Choice {
  readonly isUdpBlocked?: () => boolean;
  readonly needsReceived?: boolean;
  readonly isProven?: (key: string) => boolean;
  readonly current?: string | undefined;
}

/** The rank from which a UDP route is proven and live. */
const IN_USE = 20;

interface Entry {
  readonly route: Route;
  receivedAt: number;
  proof: Proof;
  /** The peer was found elsewhere, and nothing was received here since. */
  isLeft: boolean;
  /** Until when the peer has time to move here from a relay, ms. */
  graceUntil: number;
}

export class RouteTable {
  readonly #entries: Entry[] = [];
  /** The proof of new routes. */
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

  /** Adds a route. @returns the route that was removed for it: the one of its kind that was silent longest */
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

  /** An authentic packet of the peer arrived on this route. @returns when the last one did, ms; undefined if the route is unknown */
  onReceived(key: string, now: number): number | undefined {
    const entry = this.#entry(key);
    if (entry === undefined) return undefined;
    const before = entry.receivedAt;
    entry.receivedAt = now;
    entry.isLeft = false;
    this.#latestReceivedAt = now;
    return before;
  }

  /** Returns when a packet arrived on this route, ms; -Infinity for never. */
  receivedAt(key: string): number {
    return this.#entry(key)?.receivedAt ?? Number.NEGATIVE_INFINITY;
  }

  /** Packets that we send on this route arrive. @param graceUntil until when it is used although the peer sends by relays, ms */
  onProven(key: string, graceUntil?: number): void {
    const entry = this.#entry(key);
    if (entry === undefined) return;
    entry.proof = 'proven';
    entry.graceUntil = graceUntil ?? entry.graceUntil;
  }

  /** Requires proof that packets arrive on this route; without a key, on all UDP routes, including new ones. */
  requireProof(key?: string): void {
    if (key === undefined) this.#newProof = 'required';
    for (const entry of this.#entries) {
      if (entry.route.kind !== 'relay' && (key === undefined || entry.route.key === key)) entry.proof = 'required';
    }
  }

  /** UDP is in use: new routes may be used without proof. */
  trustNewRoutes(): void {
    this.#newProof = 'unknown';
  }

  proofOf(key: string): Proof {
    return this.#entry(key)?.proof ?? 'unknown';
  }

  /** The peer is elsewhere; the route counts as dead until a packet arrives on it. */
  markLeft(key: string): void {
    const entry = this.#entry(key);
    if (entry !== undefined) entry.isLeft = true;
  }

  /** Whether the packets recently sent there are lost. */
  hasFailed(key: string): boolean {
    const entry = this.#entry(key);
    return entry !== undefined && (entry.isLeft || entry.proof === 'required');
  }

  #entry(key: string): Entry | undefined {
    for (const entry of this.#entries) if (entry.route.key === key) return entry;
    return undefined;
  }

  /** When a packet arrived on any route, ms; -Infinity for never. */
  get latestReceivedAt(): number {
    return this.#latestReceivedAt;
  }

  /**
   * Returns the route to send on now.
   * @param options.isUdpBlocked whether UDP gets no answers at all, so that a route must be proven
   * @param options.needsReceived whether the peer accepts packets only on routes where it sends: then a doubtful relay is preferred to a failed route
   * @param options.isProven whether the peer is proven to be at an address; other addresses rank below a relay
   * @param options.current the address in use, which is preferred to equal ones
   */
  best(now: number, options: Choice = {}): Route | undefined {
    let best: Entry | undefined;
    let bestRank = Number.NEGATIVE_INFINITY;
    // The state of a relay costs more to find out than all else, and matters only if no UDP route is in use.
    for (const isRelay of [false, true]) {
      if (bestRank >= IN_USE) break;
      for (const entry of this.#entries) {
        if ((entry.route.kind === 'relay') !== isRelay) continue;
        const rank = this.#rank(entry, now, options);
        const isEqual = rank === bestRank;
        if (isEqual && rank >= IN_USE && best?.route.key === options.current) continue;
        const isPreferred = rank >= IN_USE && entry.route.key === options.current;
        if (
          best === undefined ||
          rank > bestRank ||
          (isEqual && (isPreferred || entry.receivedAt >= best.receivedAt))
        ) {
          best = entry;
          bestRank = rank;
        }
      }
    }
    return best?.route;
  }

  #rank(entry: Entry, now: number, options: Choice): number {
    const { isUdpBlocked = () => false, needsReceived = false, isProven = () => true } = options;
    const { route, receivedAt, proof } = entry;
    if (route.kind === 'relay') return route.state !== 'doubtful' ? 10 : needsReceived && this.#hasFailed ? 6 : -1;
    const family = route.kind === 'udp6' ? 1 : route.isLan ? 2 : 0;
    const isTrusted = proof === 'proven' || (proof === 'unknown' && !isUdpBlocked());
    if (isTrusted && this.#isAlive(entry, now)) return isProven(route.key) ? IN_USE + family : 8;
    if (receivedAt === Number.NEGATIVE_INFINITY) return family;
    return isProven(route.key) ? 5 : 4;
  }

  /** Whether a UDP route that carried packets no longer does. */
  get #hasFailed(): boolean {
    return this.#entries.some(({ proof, receivedAt }) => proof === 'required' && receivedAt > Number.NEGATIVE_INFINITY);
  }

  #isAlive({ receivedAt, graceUntil, isLeft }: Entry, now: number): boolean {
    if (isLeft) return false;
    if (now < graceUntil) return true;
    if (this.latestUdpReceivedAt - receivedAt > LEFT_BEHIND || now - receivedAt > DIRECT_TIMEOUT) return false;
    // With a relay available, a silent route is abandoned sooner.
    const isSilent = now - receivedAt > LEFT_BEHIND;
    return !this.#entries.some(
      ({ route, receivedAt: at }) =>
        route.kind === 'relay' && (isSilent || at - receivedAt > LEFT_FOR_RELAY) && route.state !== 'doubtful',
    );
  }

  /** When a packet arrived on any UDP route, ms; -Infinity for never. */
  get latestUdpReceivedAt(): number {
    let latest = Number.NEGATIVE_INFINITY;
    for (const { route, receivedAt } of this.#entries)
      if (route.kind !== 'relay' && receivedAt > latest) latest = receivedAt;
    return latest;
  }

  /** Whether a packet arrived on this UDP route within 8 s, or is expected at once. */
  isReachable(key: string, now: number): boolean {
    const entry = this.#entry(key);
    return entry !== undefined && now - Math.max(entry.receivedAt, entry.graceUntil) <= DIRECT_TIMEOUT;
  }

  /** Whether a packet arrived on any UDP route within 8 s. */
  isDirect(now: number): boolean {
    return now - this.latestUdpReceivedAt <= DIRECT_TIMEOUT;
  }

  /** Whether a packet arrived on a UDP route so recently that no other route is needed. */
  isRecentlyDirect(now: number): boolean {
    return now - this.latestUdpReceivedAt <= LEFT_BEHIND;
  }
}
