/**
 * The way that one connection's packets take at present, chosen anew at the end of each turn from the routes there are. A UDP
 * route is used as long as what goes there is confirmed (confirmation), and after a relay was used only when a probe has
 * proven it (route-probes). While a relay is in use, or the way seems dead, the others are tried with packets of their own.
 *
 * That a packet of the peer came from an address does not mean that the peer is there: until a probe is answered from there, it gets
 * little (amplification-limit), and what is large goes on by the way in use.
 */
import type { Endpoint } from '../../base/endpoint.js';
import { TokenBucket } from '../../base/token-bucket.js';
import { COOKIE_REQUEST_SIZE, COOKIE_RESPONSE_SIZE } from '../packet/net-crypto.js';
import { AmplificationLimit } from './amplification-limit.js';
import { Confirmation } from './confirmation.js';
import { NEWCOMER_INTERVAL, Newcomer } from './newcomer.js';
import type { Evidence, PathDeps } from './path-owner.js';
import { RelayStay } from './relay-stay.js';
import type { Route } from './route.js';
import { RouteProbes } from './route-probes.js';
import { RouteTable } from './route-table.js';
import { WIRE_OVERHEAD } from './send-window.js';
import { FIRST_TRIAL_INTERVAL, TrialSchedule } from './trial-schedule.js';

/** ms for which UDP is left to relays, when it swallows what the peer sends; as long as a size is not tried again. */
const UNFIT_INTERVAL = 660_000;
/** Probes of routes not in use, a second and at once: four addresses, each 250 ms. */
const PROBE_RATE = 16;
const PROBE_BURST = 32;
/** ms of silence after which what comes by a route is news: both sides speak once a second. */
const NEWS = 2500;
/** ms in which the peer follows to a route that a probe has proven, beyond two round trips. */
const FOLLOWING = 500;
/** ms after which what was heard by UDP says nothing; trials of the peer come each 4 s at the least. */
const HEARING = 10_000;
/** ms after the change to a relay in which what comes by UDP may have been under way. */
const STRAGGLING = 1000;

export class Path {
  readonly #deps: PathDeps;
  readonly #routes = new RouteTable();
  readonly #probes: RouteProbes;
  readonly #confirmation = new Confirmation();
  readonly #limit = new AmplificationLimit();
  readonly #probeTokens: TokenBucket;
  #chosen: Route | undefined;
  readonly #newcomer = new Newcomer();
  #way: Route | undefined;
  #wasDirect = false;
  readonly #trials = new TrialSchedule();
  /** Until when UDP is no use, ms of the clock. */
  #unfitUntil = Number.NEGATIVE_INFINITY;
  readonly #relayStay = new RelayStay();
  /** When the peer probed a route last, ms. */
  #askedAt = Number.NEGATIVE_INFINITY;
  #isOurKind = false;

  constructor(deps: PathDeps) {
    this.#deps = deps;
    this.#probes = new RouteProbes({
      random: deps.random,
      build: (echo) => deps.buildProbe(echo),
      read: (packet) => deps.readProbeAnswer(packet),
    });
    this.#probeTokens = new TokenBucket(PROBE_RATE, PROBE_BURST, deps.now());
  }

  get routes(): readonly Route[] {
    return this.#routes.all;
  }

  /** When a packet came over any route, ms; -Infinity for never. */
  get latestHeardAt(): number {
    return this.#routes.latestHeardAt;
  }

  has(key: string): boolean {
    return this.#routes.has(key);
  }

  isDirect(now: number): boolean {
    return this.#chosen?.kind !== 'relay' && this.#routes.isDirect(now);
  }

  endpoint(now: number): Endpoint | undefined {
    return this.#next(now)?.endpoint;
  }

  /** Whether packets of the peer come by UDP, of which we do not make use: what we send there does not arrive. */
  isOneWay(now: number): boolean {
    if (this.#chosen?.kind !== 'relay' || now < this.#unfitUntil) return false;
    const heardAt = Math.max(this.#askedAt, this.#routes.latestUdpHeardAt);
    return now - heardAt <= HEARING && heardAt - this.#relayStay.beganAt > STRAGGLING;
  }

  /** @returns false when the route is known already */
  add(route: Route): boolean {
    if (this.#routes.has(route.key)) return false;
    const dropped = this.#routes.add(route);
    this.#limit.begin(route);
    this.tryAnew();
    if (dropped !== undefined) this.#unbind(dropped);
    this.#deps.bind(route, false);
    return true;
  }

  /** The peer is said to be there. */
  told(key: string): void {
    this.#limit.told(key);
  }

  /** Whether the peer is at the address of this route for sure. */
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
    if (this.#newcomer.route === route) this.#newcomer.clear();
    this.#deps.unbind(route);
  }

  /** A packet that only the peer can have made came this way. @param size bytes of it @returns false when the route is not known */
  heard(key: string, size: number, now: number): boolean {
    const before = this.#routes.heard(key, now);
    if (before === undefined) return false;
    if (now - before > NEWS) this.#probeSoon(key, now);
    if (key === this.#chosen?.key) this.#newcomer.clear();
    if (key !== this.#chosen?.key || !this.#limit.isProven(key)) this.#findOut(key, size, now);
    return true;
  }

  /** A packet that the peer has made came this way, and may be a copy. @param size bytes of it */
  received(key: string, size: number): void {
    this.#limit.received(key, size);
  }

  /** The peer speaks from another address, or from one that is not proven. */
  #findOut(key: string, size: number, now: number): void {
    this.#limit.received(key, size);
    const route = this.#routes.find(key);
    if (route === undefined || route.kind === 'relay') return;
    const isOther = this.#chosen !== undefined && this.#chosen.kind !== 'relay' && this.#chosen !== route;
    if (isOther) this.#newcomer.come(route);
    else if (this.#limit.isProven(key)) return;
    if (now - this.#probes.sentAt(key) < NEWCOMER_INTERVAL) return;
    if (isOther) this.#newcomer.probed(now);
    this.#probeNow(route, now);
  }

  /** The peer probes this route, which answers it; that alone proves nothing to us. */
  asked(key: string, now: number): void {
    this.#limit.received(key, COOKIE_REQUEST_SIZE);
    this.#limit.sent(key, COOKIE_RESPONSE_SIZE);
    const isNews = now - this.#askedAt > NEWS;
    this.#askedAt = now;
    if (isNews) this.#probeSoon(key, now);
  }

  /** The route brings something again: if it is not trusted, there is no need to wait for the next trial. */
  #probeSoon(key: string, now: number): void {
    const route = this.#routes.find(key);
    if (route === undefined || route.kind === 'relay' || this.#trials.of === undefined || now < this.#unfitUntil)
      return;
    if (this.#routes.proofOf(key) === 'wanted' && now - this.#probes.sentAt(key) > FIRST_TRIAL_INTERVAL / 2) {
      this.#probeNow(route, now);
    }
  }

  /** A cookie response came by this route. @returns the cookie; undefined when it answers none of our probes there */
  receiveAnswer(route: Route, packet: Buffer, now: number): Buffer | undefined {
    const { key } = route;
    const answer = this.#probes.answered(key, packet, now);
    if (answer === undefined) return undefined;
    if (!this.#limit.isProven(key)) {
      this.#limit.proven(key);
      this.#deps.bind(route, true);
    }
    // c-toxcore takes nothing from an address that it does not know; that it sends to us shows that it knows ours.
    this.#routes.prove(key, this.#isOurKind ? now + 2 * answer.rtt + FOLLOWING : undefined);
    if (key === this.#chosen?.key) this.#confirmation.confirmed(now);
    else if (key === this.#newcomer.route?.key) this.#leaveSilent(answer.rtt / 2, now);
    return answer.cookie;
  }

  /** The peer is elsewhere for sure. @param silence ms of the route in use that show it: what was under way when the peer moved comes later */
  #leaveSilent(silence: number, now: number): void {
    const key = this.#chosen?.key ?? '';
    this.#newcomer.answered();
    if (now - this.#routes.heardAt(key) >= silence) this.#routes.leave(key);
  }

  /** Packets that went by the route in use have arrived. @param arrivals of packets of the peer so far */
  confirmed(now: number, arrivals: number): void {
    if (this.#chosen === undefined || this.#chosen.kind === 'relay') return;
    this.#routes.prove(this.#chosen.key);
    this.#confirmation.confirmed(now, arrivals);
  }

  /** Whether a packet that is sent now would be lost for want of room. @param size bytes of its data */
  isBusy(size: number): boolean {
    if (this.#chosen === undefined) return false;
    return this.#chosen.state === 'busy' || !this.#limit.allows(this.#chosen.key, size + WIRE_OVERHEAD);
  }

  /** Whether packets need not be spread over time. */
  get pacesItself(): boolean {
    return this.#chosen?.pacesItself ?? false;
  }

  choose(now: number, evidence: Evidence): void {
    this.#isOurKind = evidence.isOurKind;
    const isUdp = this.#chosen !== undefined && this.#chosen.kind !== 'relay';
    if (isUdp && now >= this.#confirmation.failsAt) this.#routes.wantProof((this.#chosen as Route).key);
    const route = this.#next(now);
    const isDoubtful = evidence.isUnanswered || (isUdp && this.#confirmation.isDoubtful);
    const isDirect = this.#isSurelyDirect(route, now) && !isDoubtful;
    if (isDirect !== this.#wasDirect) {
      this.#wasDirect = isDirect;
      this.#deps.onDirectChange(isDirect);
    }
    if (route !== this.#chosen) this.#take(route, now, evidence);
    const way = route?.kind === 'relay' || this.#routes.isWay(route?.key ?? '', now) ? route : undefined;
    if (way !== this.#way) {
      this.#way = way;
      this.#deps.onWay(way);
    }
    const isUnfit = now < this.#unfitUntil && route?.kind === 'relay';
    const of = isDirect || isUnfit ? undefined : route?.kind === 'relay' && !evidence.isUnanswered ? 'udp' : 'all';
    this.#trials.try(of, now);
  }

  #isSurelyDirect(route: Route | undefined, now: number): boolean {
    if (route === undefined || route.kind === 'relay') return false;
    return this.#routes.proofOf(route.key) !== 'wanted' && this.#routes.isSurelyDirect(now);
  }

  #next(now: number): Route | undefined {
    if (now < this.#unfitUntil) return this.#anyRelay ?? this.#best(now);
    const best = this.#best(now);
    if (this.#chosen?.kind !== 'relay' || best?.kind === 'relay' || now >= this.#relayStay.until) return best;
    // UDP came and went: it has to wait.
    return this.#routes.has(this.#chosen.key) && this.#chosen.state !== 'doubtful' ? this.#chosen : best;
  }

  #best(now: number): Route | undefined {
    return this.#routes.best(now, {
      isUdpBlocked: this.#deps.isUdpBlocked,
      needsHearing: !this.#isOurKind,
      isProven: (key) => this.#limit.isProven(key),
      current: this.#chosen?.key,
    });
  }

  #take(route: Route | undefined, now: number, evidence: Evidence): void {
    const before = this.#chosen;
    const wasRelay = before?.kind === 'relay';
    const hasFailed = before !== undefined && this.#routes.hasFailed(before.key);
    const isRelay = route?.kind === 'relay';
    this.#chosen = route;
    this.#newcomer.clear();
    if (isRelay && !wasRelay) {
      this.#routes.wantProof();
      this.#relayStay.begin(now);
    } else if (route !== undefined && !isRelay) {
      if (wasRelay) this.#relayStay.end(now);
      this.#routes.trustNew();
      this.#confirmation.begin(now, this.#routes.proofOf(route.key) === 'given', evidence);
    }
    this.#deps.onChange(route, hasFailed);
  }

  /**
   * UDP brings the peer's small packets only, and the peer sends no others. It sends by a relay when it has heard nothing of us by
   * UDP for 8 s (c-toxcore: UDP_DIRECT_TIMEOUT), and wakes the relays that slept meanwhile. So nothing goes there, trials neither,
   * where any relay is known.
   */
  leaveUdp(now: number): void {
    this.#unfitUntil = now + UNFIT_INTERVAL;
  }

  get #anyRelay(): Route | undefined {
    const relays = this.#routes.all.filter(({ kind }) => kind === 'relay');
    return relays.find(({ state }) => state !== 'doubtful') ?? relays[0];
  }

  /** Sends a data packet the chosen way. @param isReport whether it tells what came, which the peer waits for wherever it is; one probe more stays possible */
  send(packet: Buffer, isReport = false): void {
    const route = this.#chosen ?? this.#best(this.#deps.now());
    if (route !== undefined && this.#limit.take(route.key, packet.length)) route.send(packet);
    const other = isReport ? this.#newcomer.route : undefined;
    if (other === undefined || !this.#limit.allows(other.key, packet.length + 2 * COOKIE_REQUEST_SIZE)) return;
    this.#limit.sent(other.key, packet.length);
    other.send(packet);
  }

  /** Sends one that is too large for the chosen way: by a relay that has room, if there is one. @returns whether it went there */
  sendLarge(packet: Buffer): boolean {
    const relay = this.#routes.all.find(({ kind, state }) => kind === 'relay' && state === 'ready');
    if (relay === undefined) this.send(packet);
    else relay.send(packet);
    return relay !== undefined;
  }

  /** When `choose` and `tryRoutes` are to be called next at the latest, ms of the clock. */
  get dueAt(): number {
    const isUdp = this.#chosen !== undefined && this.#chosen.kind !== 'relay';
    const hasFailed = isUdp && this.#routes.proofOf((this.#chosen as Route).key) === 'wanted';
    const { probeAt, failsAt } = this.#confirmation;
    const otherAt = Math.min(this.#trialAt, this.#newcomer.probeAt);
    return Math.min(otherAt, isUdp && !hasFailed ? Math.min(probeAt, failsAt) : Number.POSITIVE_INFINITY);
  }

  get #trialAt(): number {
    return this.#trials.of === undefined || this.#tried.length === 0 ? Number.POSITIVE_INFINITY : this.#trials.dueAt;
  }

  /** Begins the trials anew, without a pause: there is reason to hope. */
  tryAnew(): void {
    this.#trials.beginAnew(this.#deps.now());
  }

  /**
   * Probes the route in use, and tries the others, if it is time; after what was to be sent in this turn.
   * @param seal makes a packet for a relay that the peer has not had yet: a copy would prove nothing
   */
  tryRoutes(now: number, evidence: Evidence, seal: () => Buffer): void {
    const chosen = this.#chosen;
    if (chosen !== undefined && chosen.kind !== 'relay') {
      this.#confirmation.note(now, evidence, now - this.#routes.heardAt(chosen.key) > NEWS);
      if (now >= this.#confirmation.probeAt) {
        this.#confirmation.probed(now);
        this.#probe(chosen, now);
      }
    }
    const { route: newcomer, probeAt } = this.#newcomer;
    if (newcomer !== undefined && now >= probeAt) {
      this.#newcomer.probed(now);
      this.#probeNow(newcomer, now);
    }
    if (now < this.#trialAt) return;
    this.#trials.tried(now);
    for (const route of this.#tried) {
      if (route.kind === 'relay') route.send(seal());
      else this.#try(route, now);
    }
  }

  #try(route: Route, now: number): void {
    if (now - this.#probes.unansweredSince(route.key) > NEWS) this.#routes.wantProof(route.key);
    this.#probeNow(route, now);
  }

  /** One that may not be in use, whose probes have no schedule of their own. */
  #probeNow(route: Route, now: number): void {
    if (this.#probeTokens.take(now)) this.#probe(route, now);
  }

  #probe(route: Route, now: number): void {
    if (!this.#limit.takeQuestion(route.key, COOKIE_REQUEST_SIZE)) return;
    route.send(this.#probes.next(route.key, now), () => {
      if (!this.#routes.has(route.key)) return;
      this.#routes.wantProof(route.key);
      this.#deps.onRefused();
    });
  }

  /** Those not in use; that in use as well when it has failed, and there is no other. */
  get #tried(): readonly Route[] {
    const isAll = this.#trials.of === 'all';
    return this.#routes.all.filter((route) => {
      if (route === this.#chosen) return route.kind !== 'relay' && this.#routes.proofOf(route.key) === 'wanted';
      return isAll || route.kind !== 'relay';
    });
  }

  /** Sends the same packet every way there is: nobody knows yet which one works. */
  sendEverywhere(packet: Buffer): void {
    for (const route of this.#routes.all) {
      if (this.#limit.takeQuestion(route.key, packet.length)) route.send(packet);
    }
  }

  /** Asks for a cookie every way there is. */
  ask(now: number): void {
    for (const route of this.#routes.all) this.#probe(route, now);
  }

  close(): void {
    for (const route of this.#routes.all) this.#deps.unbind(route);
    this.#chosen = undefined;
  }
}
