/**
 * The path of one connection: the route that its packets take, chosen at the end of each tick. A UDP route is used as long as
 * packets on it are confirmed (confirmation), and after a relay only when a probe has proven it (route-probes). While a relay
 * is in use, or the path seems dead, the other routes are probed.
 *
 * A packet from an address does not prove that the peer is there: until a probe is answered from there, the address gets
 * little (amplification-limit), and the bulk stays on the route in use.
 */
import type { Endpoint } from '../../../base/endpoint.js';
import { COOKIE_REQUEST_SIZE, COOKIE_RESPONSE_SIZE, WIRE_OVERHEAD } from '../../packet/net-crypto.js';
import { AmplificationLimit } from './amplification-limit.js';
import { CANDIDATE_INTERVAL, CandidatePath } from './candidate-path.js';
import { Confirmation } from './confirmation.js';
import type { Evidence, PathDeps } from './path-owner.js';
import { FIRST_PROBE_INTERVAL, ProbeSchedule } from './probe-schedule.js';
import { RelayHold } from './relay-hold.js';
import type { Route } from './route.js';
import { RouteProbes } from './route-probes.js';
import { RouteTable } from './route-table.js';

/** ms for which relays replace UDP when it drops the peer's large packets; as long as a size is not probed again. */
const NO_UDP_INTERVAL = 660_000;
/** ms after which a route counts as silent: both sides send once a second. */
const SILENCE = 2500;
/** ms within which the peer follows to a route that a probe has proven, beyond two round trips. */
const MIGRATION_TIME = 500;
/** ms for which a packet received by UDP counts as recent; the peer probes at least every 4 s. */
const RECENT_UDP = 10_000;
/** ms after the change to a relay in which packets by UDP may have been in flight before it. */
const STRAGGLER_TIME = 1000;

export class Path {
  readonly #deps: PathDeps;
  readonly #routes = new RouteTable();
  readonly #probes: RouteProbes;
  readonly #confirmation = new Confirmation();
  readonly #limit = new AmplificationLimit();
  #chosen: Route | undefined;
  readonly #candidate = new CandidatePath();
  #reachedBy: Route | undefined;
  #wasDirect = false;
  readonly #schedule = new ProbeSchedule();
  /** Until when UDP is not used, ms of the clock. */
  #noUdpUntil = Number.NEGATIVE_INFINITY;
  readonly #relayHold = new RelayHold();
  /** When the peer last probed a route, ms. */
  #probeReceivedAt = Number.NEGATIVE_INFINITY;
  #isOurKind = false;

  constructor(deps: PathDeps) {
    this.#deps = deps;
    this.#probes = new RouteProbes(deps);
  }

  get routes(): readonly Route[] {
    return this.#routes.all;
  }

  /** When a packet arrived on any route, ms; -Infinity for never. */
  get latestReceivedAt(): number {
    return this.#routes.latestReceivedAt;
  }

  has(key: string): boolean {
    return this.#routes.has(key);
  }

  /** The chosen route, if it is one over UDP. */
  get #udpInUse(): Route | undefined {
    return this.#chosen?.kind === 'relay' ? undefined : this.#chosen;
  }

  isDirect(now: number): boolean {
    return this.#chosen?.kind !== 'relay' && this.#routes.isDirect(now);
  }

  endpoint(now: number): Endpoint | undefined {
    return this.#chooseRoute(now)?.endpoint;
  }

  /** Whether packets of the peer come by UDP while we use a relay, since our packets do not arrive by UDP. */
  isOneWay(now: number): boolean {
    if (this.#chosen?.kind !== 'relay' || now < this.#noUdpUntil) return false;
    const receivedAt = Math.max(this.#probeReceivedAt, this.#routes.latestUdpReceivedAt);
    return now - receivedAt <= RECENT_UDP && receivedAt - this.#relayHold.beganAt > STRAGGLER_TIME;
  }

  /** @returns false if the route is already known */
  add(route: Route): boolean {
    if (this.#routes.has(route.key)) return false;
    const dropped = this.#routes.add(route);
    this.#limit.begin(route);
    this.restartProbes();
    if (dropped !== undefined) this.#unbind(dropped);
    this.#deps.bind(route, false);
    return true;
  }

  /** The peer was reported to be at this address. */
  onNamed(key: string): void {
    this.#limit.onNamed(key);
  }

  /** Whether the peer is proven to be at the address of this route. */
  isProven(key: string): boolean {
    return this.has(key) && this.#limit.isProven(key);
  }

  remove(key: string): boolean {
    const route = this.#routes.remove(key);
    if (route === undefined) return false;
    this.#unbind(route);
    return true;
  }

  #unbind(route: Route): void {
    this.#probes.forget(route.key);
    this.#limit.forget(route.key);
    if (this.#candidate.route === route) this.#candidate.clear();
    this.#deps.unbind(route);
  }

  /** An authentic packet of the peer arrived on this route. @param size its bytes @returns false if the route is unknown */
  onReceived(key: string, size: number, now: number): boolean {
    const before = this.#routes.onReceived(key, now);
    if (before === undefined) return false;
    if (now - before > SILENCE) this.#probeSoon(key, now);
    if (key === this.#chosen?.key) this.#candidate.clear();
    if (key !== this.#chosen?.key || !this.#limit.isProven(key)) this.#validate(key, size, now);
    return true;
  }

  /** A packet made by the peer arrived on this route; it may be a copy. @param size its bytes */
  onReceivedUnverified(key: string, size: number): void {
    this.#limit.onReceived(key, size);
  }

  /** Path validation: the peer sends from another address, or from an unproven one. */
  #validate(key: string, size: number, now: number): void {
    this.#limit.onReceived(key, size);
    const route = this.#routes.find(key);
    if (route === undefined || route.kind === 'relay') return;
    const isOther = this.#udpInUse !== undefined && this.#udpInUse !== route;
    if (isOther) this.#candidate.set(route);
    else if (this.#limit.isProven(key)) return;
    if (now - this.#probes.sentAt(key) < CANDIDATE_INTERVAL) return;
    if (isOther) this.#candidate.onProbed(now);
    this.#probeNow(route, now);
  }

  /** The peer probes this route, and the answer was sent; that alone proves nothing to us. */
  onProbeReceived(key: string, now: number): void {
    this.#limit.onReceived(key, COOKIE_REQUEST_SIZE);
    this.#limit.onSent(key, COOKIE_RESPONSE_SIZE);
    const isNews = now - this.#probeReceivedAt > SILENCE;
    this.#probeReceivedAt = now;
    if (isNews) this.#probeSoon(key, now);
  }

  /** The route carries packets again: if it needs proof, it is probed at once. */
  #probeSoon(key: string, now: number): void {
    const route = this.#routes.find(key);
    if (route === undefined || route.kind === 'relay' || this.#schedule.scope === undefined || now < this.#noUdpUntil)
      return;
    if (this.#routes.proofOf(key) === 'required' && now - this.#probes.sentAt(key) > FIRST_PROBE_INTERVAL / 2) {
      this.#probeNow(route, now);
    }
  }

  /** A cookie response arrived on this route. @returns the cookie; undefined if it answers none of our probes there */
  receiveAnswer(route: Route, packet: Buffer, now: number): Buffer | undefined {
    const { key } = route;
    const answer = this.#probes.onAnswer(key, packet, now);
    if (answer === undefined) return undefined;
    if (!this.#limit.isProven(key)) {
      this.#limit.onProven(key);
      this.#deps.bind(route, true);
    }
    // c-toxcore takes nothing from an address that it does not know; that it sends to us shows that it knows ours.
    this.#routes.onProven(key, this.#isOurKind ? now + 2 * answer.rtt + MIGRATION_TIME : undefined);
    if (key === this.#chosen?.key) this.#confirmation.onConfirmed(now);
    else if (key === this.#candidate.route?.key) this.#leaveIfSilent(answer.rtt / 2, now);
    return answer.cookie;
  }

  /** The peer is proven to be elsewhere. @param silence ms of silence on the route in use that show it: packets in flight arrive later */
  #leaveIfSilent(silence: number, now: number): void {
    const key = this.#chosen?.key ?? '';
    this.#candidate.onAnswered();
    if (now - this.#routes.receivedAt(key) >= silence) this.#routes.markLeft(key);
  }

  /** Packets on the route in use have arrived. @param arrivals packets received from the peer so far */
  onConfirmed(now: number, arrivals: number): void {
    if (this.#udpInUse === undefined) return;
    this.#routes.onProven(this.#udpInUse.key);
    this.#confirmation.onConfirmed(now, arrivals);
  }

  /** Whether a packet sent now would be lost for lack of room. @param size bytes of its data */
  isBusy(size: number): boolean {
    if (this.#chosen === undefined) return false;
    return this.#chosen.state === 'busy' || !this.#limit.allows(this.#chosen.key, size + WIRE_OVERHEAD);
  }

  /** Whether packets need no pacing. */
  get pacesItself(): boolean {
    return this.#chosen?.pacesItself ?? false;
  }

  choose(now: number, evidence: Evidence): void {
    this.#isOurKind = evidence.isOurKind;
    const udp = this.#udpInUse;
    if (udp !== undefined && now >= this.#confirmation.failsAt) this.#routes.requireProof(udp.key);
    const route = this.#chooseRoute(now);
    const isDoubtful = evidence.isUnanswered || (udp !== undefined && this.#confirmation.isSuspect);
    const isDirect = this.#isConfirmedDirect(route, now) && !isDoubtful;
    if (isDirect !== this.#wasDirect) {
      this.#wasDirect = isDirect;
      this.#deps.onDirectChange(isDirect);
    }
    if (route !== this.#chosen) this.#switchTo(route, now, evidence);
    const reachable = route?.kind === 'relay' || this.#routes.isReachable(route?.key ?? '', now) ? route : undefined;
    if (reachable !== this.#reachedBy) {
      this.#reachedBy = reachable;
      this.#deps.onReachable(reachable);
    }
    const isUnfit = now < this.#noUdpUntil && route?.kind === 'relay';
    const of = isDirect || isUnfit ? undefined : route?.kind === 'relay' && !evidence.isUnanswered ? 'udp' : 'all';
    this.#schedule.setScope(of, now);
  }

  #isConfirmedDirect(route: Route | undefined, now: number): boolean {
    if (route === undefined || route.kind === 'relay') return false;
    return this.#routes.proofOf(route.key) !== 'required' && this.#routes.isRecentlyDirect(now);
  }

  #chooseRoute(now: number): Route | undefined {
    if (now < this.#noUdpUntil) return this.#anyRelay ?? this.#best(now);
    const best = this.#best(now);
    if (this.#chosen?.kind !== 'relay' || best?.kind === 'relay' || now >= this.#relayHold.until) return best;
    // UDP is flapping: it has to wait.
    return this.#routes.has(this.#chosen.key) && this.#chosen.state !== 'doubtful' ? this.#chosen : best;
  }

  #best(now: number): Route | undefined {
    return this.#routes.best(now, {
      isUdpBlocked: this.#deps.isUdpBlocked,
      needsReceived: !this.#isOurKind,
      isProven: (key) => this.#limit.isProven(key),
      current: this.#chosen?.key,
    });
  }

  #switchTo(route: Route | undefined, now: number, evidence: Evidence): void {
    const before = this.#chosen;
    const wasRelay = before?.kind === 'relay';
    const hasFailed = before !== undefined && this.#routes.hasFailed(before.key);
    const isRelay = route?.kind === 'relay';
    this.#chosen = route;
    this.#candidate.clear();
    if (isRelay && !wasRelay) {
      this.#routes.requireProof();
      this.#relayHold.begin(now);
    } else if (route !== undefined && !isRelay) {
      if (wasRelay) this.#relayHold.end(now);
      this.#routes.trustNewRoutes();
      this.#confirmation.begin(now, this.#routes.proofOf(route.key) === 'proven', evidence);
    }
    this.#deps.onChange(route, hasFailed);
  }

  /**
   * UDP delivers only small packets of the peer, and the peer sends no smaller ones. It sends by a relay once it has received nothing
   * from us by UDP for 8 s (c-toxcore: UDP_DIRECT_TIMEOUT). So nothing is sent by UDP, not even probes, if any relay is known.
   */
  leaveUdp(now: number): void {
    this.#noUdpUntil = now + NO_UDP_INTERVAL;
  }

  get #anyRelay(): Route | undefined {
    const relays = this.#routes.all.filter(({ kind }) => kind === 'relay');
    return relays.find(({ state }) => state !== 'doubtful') ?? relays[0];
  }

  /** Sends a data packet on the chosen route. @param isReport whether it is a request packet, which goes to a candidate path, too, within the limit */
  send(packet: Buffer, isReport = false): void {
    const route = this.#chosen ?? this.#best(this.#deps.now());
    if (route !== undefined && this.#limit.take(route.key, packet.length)) route.send(packet);
    const other = isReport ? this.#candidate.route : undefined;
    if (other === undefined || !this.#limit.allows(other.key, packet.length + 2 * COOKIE_REQUEST_SIZE)) return;
    this.#limit.onSent(other.key, packet.length);
    other.send(packet);
  }

  /** Sends a packet that is too large for the chosen route: by a relay with room, if there is one. @returns whether a relay took it */
  sendLarge(packet: Buffer): boolean {
    const relay = this.#routes.all.find(({ kind, state }) => kind === 'relay' && state === 'ready');
    if (relay === undefined) this.send(packet);
    else relay.send(packet);
    return relay !== undefined;
  }

  /** When `choose` and `probeRoutes` must be called next at the latest, ms of the clock. */
  get dueAt(): number {
    const udp = this.#udpInUse;
    const { probeAt, failsAt } = this.#confirmation;
    const otherAt = Math.min(this.#nextProbeAt, this.#candidate.probeAt);
    if (udp === undefined || this.#routes.proofOf(udp.key) === 'required') return otherAt;
    return Math.min(otherAt, probeAt, failsAt);
  }

  get #nextProbeAt(): number {
    return this.#schedule.scope === undefined || this.#probedRoutes.length === 0
      ? Number.POSITIVE_INFINITY
      : this.#schedule.dueAt;
  }

  /** Restarts the probes of other routes at once. */
  restartProbes(): void {
    this.#schedule.restart(this.#deps.now());
  }

  /**
   * Probes the route in use and the others, if due; called after the packets of this tick were sent.
   * @param seal makes a new packet for a relay, since a copy would prove nothing
   */
  probeRoutes(now: number, evidence: Evidence, seal: () => Buffer): void {
    const udp = this.#udpInUse;
    if (udp !== undefined) {
      this.#confirmation.update(now, evidence, now - this.#routes.receivedAt(udp.key) > SILENCE);
      if (now >= this.#confirmation.probeAt) {
        this.#confirmation.onProbed(now);
        this.#probe(udp, now);
      }
    }
    const { route: candidate, probeAt } = this.#candidate;
    if (candidate !== undefined && now >= probeAt) {
      this.#candidate.onProbed(now);
      this.#probeNow(candidate, now);
    }
    if (now < this.#nextProbeAt) return;
    this.#schedule.onProbed(now);
    for (const route of this.#probedRoutes) {
      if (route.kind === 'relay') route.send(seal());
      else this.#probeOther(route, now);
    }
  }

  #probeOther(route: Route, now: number): void {
    if (now - this.#probes.unansweredSince(route.key) > SILENCE) this.#routes.requireProof(route.key);
    this.#probeNow(route, now);
  }

  /** Probes a route whose probes have no schedule of their own. */
  #probeNow(route: Route, now: number): void {
    if (this.#probes.mayProbeOther(now)) this.#probe(route, now);
  }

  #probe(route: Route, now: number): void {
    if (!this.#limit.takeProbe(route.key, COOKIE_REQUEST_SIZE)) return;
    route.send(this.#probes.next(route.key, now), () => {
      if (!this.#routes.has(route.key)) return;
      this.#routes.requireProof(route.key);
      this.#deps.onRefused();
    });
  }

  /** The routes not in use, and the one in use if it has failed and there is no other. */
  get #probedRoutes(): readonly Route[] {
    const isAll = this.#schedule.scope === 'all';
    return this.#routes.all.filter((route) => {
      if (route === this.#chosen) return route.kind !== 'relay' && this.#routes.proofOf(route.key) === 'required';
      return isAll || route.kind !== 'relay';
    });
  }

  /** Sends the same packet on every route, since none is known to work yet. */
  sendEverywhere(packet: Buffer): void {
    for (const route of this.#routes.all) {
      if (this.#limit.takeProbe(route.key, packet.length)) route.send(packet);
    }
  }

  /** Requests a cookie on every route. */
  requestCookies(now: number): void {
    for (const route of this.#routes.all) this.#probe(route, now);
  }

  close(): void {
    for (const route of this.#routes.all) this.#deps.unbind(route);
    this.#chosen = undefined;
  }
}
