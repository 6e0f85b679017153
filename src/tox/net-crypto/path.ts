/**
 * The way that one connection's packets take at present, chosen anew at the end of each turn from the routes there are. A UDP
 * route is used as long as what goes there is confirmed (confirmation), and after a relay was used only when a probe has
 * proven it (route-probes). While a relay is in use, or the way seems dead, the others are tried with packets of their own.
 */
import type { Endpoint } from '../../base/endpoint.js';
import type { Random } from '../../base/random.js';
import { Confirmation, type Deliveries } from './confirmation.js';
import type { Route } from './route.js';
import { RouteProbes } from './route-probes.js';
import { RouteTable } from './route-table.js';

/** Specification (UDP_DIRECT_TIMEOUT / 2): ms between trials of UDP, once a relay has carried all for long. */
const LONGEST_TRIAL_INTERVAL = 4000;
/** Implementation: ms between the first trials; later the pause is this part of the time since they began. */
const FIRST_TRIAL_INTERVAL = 250;
const TRIAL_SLOWDOWN = 1 / 16;
/** Implementation: ms for which UDP is left to relays, when it swallows what the peer sends; as long as a size is not tried again. */
const UNFIT_INTERVAL = 660_000;
/** Implementation: ms of silence after which what comes by a route is news: both sides speak once a second. */
const NEWS = 2500;
/** Implementation: ms in which the peer follows to a route that a probe has proven, beyond two round trips. */
const FOLLOWING = 500;
/** Implementation: ms of UDP after a relay that are too few; the next time the relay stays, for so long at first, and twice as long each time. */
const SHORT_STAY = 10_000;
const FIRST_HOLD = 1000;
const LONGEST_HOLD = 60_000;
/** Implementation: ms after which what was heard by UDP says nothing; trials of the peer come each 4 s at the least. */
const HEARING = 10_000;
/** Implementation: ms after the change to a relay in which what comes by UDP may have been under way. */
const STRAGGLING = 1000;

export interface PathDeps {
  readonly random: Random;
  /** A cookie request with this echo. */
  buildProbe(echo: bigint): Buffer;
  isProbeAnswer(packet: Buffer, echo: bigint): boolean;
  /** Packets that come over this route are the connection's from now on. */
  bind(route: Route): void;
  unbind(route: Route): void;
  /** Packets go by another route from now on. @param hasFailed whether those that went by the one before were lost */
  onChange(route: Route | undefined, hasFailed: boolean): void;
  /** The peer is reached another way, or by none: over UDP only what it was heard on lately is one. */
  onWay(route: Route | undefined): void;
  /** UDP reaches the peer for sure, or may not do so any more: then relays should be at hand. */
  onDirectChange(isDirect: boolean): void;
  /** The system refused a packet, and there is something to choose. */
  onRefused(): void;
  /** Whether UDP gets no answer from anybody. */
  isUdpBlocked(): boolean;
  /** ms of the clock. */
  now(): number;
}

/** What the stream of packets tells. */
export interface Evidence extends Deliveries {
  /** What was sent last should have been confirmed long ago. */
  readonly isUnanswered: boolean;
  /** The peer takes packets of the session from any address; c-toxcore only from those that it has. */
  readonly isOurKind: boolean;
}

/** Which of the ways not in use are tried, since when, and when last, ms. */
interface Trials {
  readonly of: 'udp' | 'all';
  readonly since: number;
  readonly at: number;
}

export class Path {
  readonly #deps: PathDeps;
  readonly #routes = new RouteTable();
  readonly #probes: RouteProbes;
  readonly #confirmation = new Confirmation();
  #chosen: Route | undefined;
  #way: Route | undefined;
  #wasDirect = false;
  #trials: Trials | undefined;
  /** Until when UDP is no use, ms of the clock. */
  #unfitUntil = Number.NEGATIVE_INFINITY;
  /** When a relay was taken after UDP, and UDP after a relay, and until when the relay stays, ms. */
  #relayedAt = Number.NEGATIVE_INFINITY;
  #returnedAt = Number.NEGATIVE_INFINITY;
  #heldUntil = Number.NEGATIVE_INFINITY;
  #hold = 0;
  /** When the peer probed a route last, ms. */
  #askedAt = Number.NEGATIVE_INFINITY;
  #isOurKind = false;

  constructor(deps: PathDeps) {
    this.#deps = deps;
    this.#probes = new RouteProbes({
      random: deps.random,
      build: (echo) => deps.buildProbe(echo),
      isAnswer: (packet, echo) => deps.isProbeAnswer(packet, echo),
    });
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
    return now - heardAt <= HEARING && heardAt - this.#relayedAt > STRAGGLING;
  }

  /** @returns false when the route is known already */
  add(route: Route): boolean {
    if (this.#routes.has(route.key)) return false;
    const dropped = this.#routes.add(route);
    this.tryAnew();
    if (dropped !== undefined) this.#unbind(dropped);
    this.#deps.bind(route);
    return true;
  }

  remove(key: string): boolean {
    const route = this.#routes.remove(key);
    if (route === undefined) return false;
    this.#unbind(route);
    return true;
  }

  #unbind(route: Route): void {
    this.#probes.forget(route.key);
    this.#deps.unbind(route);
  }

  /** A packet that only the peer can have made came this way. @returns false when the route is not known */
  heard(key: string, now: number): boolean {
    const before = this.#routes.heard(key, now);
    if (before === undefined) return false;
    if (now - before > NEWS) this.#probeSoon(key, now);
    return true;
  }

  /** The peer probes this route, which answers it; that alone proves nothing to us. */
  asked(key: string, now: number): void {
    const isNews = now - this.#askedAt > NEWS;
    this.#askedAt = now;
    if (isNews) this.#probeSoon(key, now);
  }

  /** The route brings something again: if it is not trusted, there is no need to wait for the next trial. */
  #probeSoon(key: string, now: number): void {
    const route = this.#routes.all.find((one) => one.key === key);
    if (route === undefined || route.kind === 'relay' || this.#trials === undefined || now < this.#unfitUntil) return;
    if (this.#routes.proofOf(key) === 'wanted' && now - this.#probes.sentAt(key) > FIRST_TRIAL_INTERVAL / 2) {
      this.#probe(route, now);
    }
  }

  /** A packet of the introduction was answered by this route. */
  proven(key: string): void {
    this.#routes.prove(key);
  }

  /** A cookie response came by this route. @returns false when it answers none of our probes there */
  receiveAnswer(key: string, packet: Buffer, now: number): boolean {
    const rtt = this.#probes.answered(key, packet, now);
    if (rtt === undefined) return false;
    // c-toxcore takes nothing from an address that it does not know; that it sends to us shows that it knows ours.
    this.#routes.prove(key, this.#isOurKind ? now + 2 * rtt + FOLLOWING : undefined);
    if (key === this.#chosen?.key) this.#confirmation.confirmed(now);
    return true;
  }

  /** Packets that went by the route in use have arrived. @param arrivals of packets of the peer so far */
  confirmed(now: number, arrivals: number): void {
    if (this.#chosen === undefined || this.#chosen.kind === 'relay') return;
    this.#routes.prove(this.#chosen.key);
    this.#confirmation.confirmed(now, arrivals);
  }

  /** Whether what is sent now would be lost for want of room. */
  get isBusy(): boolean {
    return this.#chosen?.state === 'busy';
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
    if (of !== this.#trials?.of) this.#trials = of && { of, since: now, at: Number.NEGATIVE_INFINITY };
  }

  #isSurelyDirect(route: Route | undefined, now: number): boolean {
    if (route === undefined || route.kind === 'relay') return false;
    return this.#routes.proofOf(route.key) !== 'wanted' && this.#routes.isSurelyDirect(now);
  }

  #next(now: number): Route | undefined {
    if (now < this.#unfitUntil) return this.#anyRelay ?? this.#best(now);
    const best = this.#best(now);
    if (this.#chosen?.kind !== 'relay' || best?.kind === 'relay' || now >= this.#heldUntil) return best;
    // UDP came and went: it has to wait.
    return this.#routes.has(this.#chosen.key) && this.#chosen.state !== 'doubtful' ? this.#chosen : best;
  }

  #best(now: number): Route | undefined {
    return this.#routes.best(now, { isUdpBlocked: this.#deps.isUdpBlocked, needsHearing: !this.#isOurKind });
  }

  #take(route: Route | undefined, now: number, evidence: Evidence): void {
    const before = this.#chosen;
    const wasRelay = before?.kind === 'relay';
    const hasFailed = before !== undefined && this.#routes.proofOf(before.key) === 'wanted';
    const isRelay = route?.kind === 'relay';
    this.#chosen = route;
    if (isRelay && !wasRelay) {
      this.#routes.wantProof();
      this.#relayedAt = now;
      const isShort = now - this.#returnedAt < SHORT_STAY;
      this.#hold = isShort ? Math.min(LONGEST_HOLD, Math.max(FIRST_HOLD, 2 * this.#hold)) : 0;
      this.#heldUntil = now + this.#hold;
    } else if (route !== undefined && !isRelay) {
      if (wasRelay) this.#returnedAt = now;
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

  /** Sends a data packet the chosen way. */
  send(packet: Buffer): void {
    const route = this.#chosen ?? this.#best(this.#deps.now());
    route?.send(packet);
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
    return Math.min(this.#trialAt, isUdp && !hasFailed ? Math.min(probeAt, failsAt) : Number.POSITIVE_INFINITY);
  }

  get #trialAt(): number {
    if (this.#trials === undefined || this.#tried.length === 0) return Number.POSITIVE_INFINITY;
    const { since, at } = this.#trials;
    const interval = Math.max(FIRST_TRIAL_INTERVAL, (at - since) * TRIAL_SLOWDOWN);
    return at + Math.min(LONGEST_TRIAL_INTERVAL, interval);
  }

  /** Begins the trials anew, without a pause: there is reason to hope. */
  tryAnew(): void {
    const of = this.#trials?.of;
    if (of !== undefined) this.#trials = { of, since: this.#deps.now(), at: Number.NEGATIVE_INFINITY };
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
    if (this.#trials === undefined || now < this.#trialAt) return;
    this.#trials = { ...this.#trials, at: now };
    for (const route of this.#tried) {
      if (route.kind === 'relay') route.send(seal());
      else this.#try(route, now);
    }
  }

  #try(route: Route, now: number): void {
    if (now - this.#probes.unansweredSince(route.key) > NEWS) this.#routes.wantProof(route.key);
    this.#probe(route, now);
  }

  #probe(route: Route, now: number): void {
    route.send(this.#probes.next(route.key, now), () => {
      if (!this.#routes.has(route.key)) return;
      this.#routes.wantProof(route.key);
      this.#deps.onRefused();
    });
  }

  /** Those not in use; that in use as well when it has failed, and there is no other. */
  get #tried(): readonly Route[] {
    const isAll = this.#trials?.of === 'all';
    return this.#routes.all.filter((route) => {
      if (route === this.#chosen) return route.kind !== 'relay' && this.#routes.proofOf(route.key) === 'wanted';
      return isAll || route.kind !== 'relay';
    });
  }

  /** Sends the same packet every way there is: nobody knows yet which one works. */
  sendEverywhere(packet: Buffer): void {
    for (const route of this.#routes.all) route.send(packet);
  }

  close(): void {
    for (const route of this.#routes.all) this.#deps.unbind(route);
    this.#chosen = undefined;
  }
}
