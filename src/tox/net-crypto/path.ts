/**
 * The way that one connection's packets take at present, chosen anew at the end of each turn from the routes there are. While
 * it is a relay, or seems dead, the others are tried with small packets of their own, each of which proves its way.
 */
import type { Endpoint } from '../../base/endpoint.js';
import type { Route } from './route.js';
import { RouteTable } from './route-table.js';

/** Specification (UDP_DIRECT_TIMEOUT / 2): ms between trials of UDP, once a relay has carried all for long. */
const LONGEST_TRIAL_INTERVAL = 4000;
/** Implementation: ms between the first trials; later the pause is this part of the time since they began. */
const FIRST_TRIAL_INTERVAL = 250;
const TRIAL_SLOWDOWN = 1 / 16;

export interface PathDeps {
  /** Packets that come over this route are the connection's from now on. */
  bind(route: Route): void;
  unbind(route: Route): void;
  onChange(route: Route | undefined): void;
  /** UDP reaches the peer for sure, or may not do so any more: then relays should be at hand. */
  onDirectChange(isDirect: boolean): void;
  /** ms of the clock. */
  now(): number;
}

/** Implementation: ms for which UDP is left to relays, when it swallows what the peer sends; as long as a size is not tried again. */
const UNFIT_INTERVAL = 660_000;

/** Which of the ways not in use are tried, since when, and when last, ms. */
interface Trials {
  readonly of: 'udp' | 'all';
  readonly since: number;
  readonly at: number;
}

export class Path {
  readonly #deps: PathDeps;
  readonly #routes = new RouteTable();
  #chosen: Route | undefined;
  #wasDirect = false;
  #trials: Trials | undefined;
  /** Until when UDP is no use, ms of the clock. */
  #unfitUntil = Number.NEGATIVE_INFINITY;

  constructor(deps: PathDeps) {
    this.#deps = deps;
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
    return this.#routes.isDirect(now);
  }

  endpoint(now: number): Endpoint | undefined {
    return this.#routes.best(now)?.endpoint;
  }

  /** @returns false when the route is known already */
  add(route: Route): boolean {
    if (this.#routes.has(route.key)) return false;
    const dropped = this.#routes.add(route);
    this.tryAnew();
    if (dropped !== undefined) this.#deps.unbind(dropped);
    this.#deps.bind(route);
    return true;
  }

  remove(key: string): boolean {
    const route = this.#routes.remove(key);
    if (route === undefined) return false;
    this.#deps.unbind(route);
    return true;
  }

  /** A packet that only the peer can have made came this way. @returns false when the route is not known */
  heard(key: string, now: number): boolean {
    return this.#routes.heard(key, now);
  }

  /** Whether what is sent now would be lost for want of room. */
  get isBusy(): boolean {
    return this.#chosen?.state === 'busy';
  }

  /** Whether packets need not be spread over time. */
  get pacesItself(): boolean {
    return this.#chosen?.pacesItself ?? false;
  }

  /** @param isUnanswered what was sent last should have been confirmed long ago */
  choose(now: number, isUnanswered: boolean): void {
    const isDirect = this.#routes.isSurelyDirect(now) && !isUnanswered && now >= this.#unfitUntil;
    if (isDirect !== this.#wasDirect) {
      this.#wasDirect = isDirect;
      this.#deps.onDirectChange(isDirect);
    }
    const relay = now < this.#unfitUntil ? this.#anyRelay : undefined;
    const route = relay ?? this.#routes.best(now);
    if (route !== this.#chosen) {
      this.#chosen = route;
      this.#deps.onChange(route);
    }
    const of = isDirect || relay !== undefined ? undefined : route?.kind === 'relay' && !isUnanswered ? 'udp' : 'all';
    if (of !== this.#trials?.of) this.#trials = of && { of, since: now, at: Number.NEGATIVE_INFINITY };
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
    const route = this.#chosen ?? this.#routes.best(this.#deps.now());
    route?.send(packet);
  }

  /** Sends one that is too large for the chosen way: by a relay that has room, if there is one. */
  sendLarge(packet: Buffer): void {
    const relay = this.#routes.all.find(({ kind, state }) => kind === 'relay' && state === 'ready');
    if (relay === undefined) this.send(packet);
    else relay.send(packet);
  }

  /** When the ways that are not in use are to be tried next, ms of the clock. */
  get trialAt(): number {
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

  /** Tries them if it is time. @param seal makes a packet that the peer has not had yet: a copy would prove nothing */
  tryOthers(now: number, seal: () => Buffer): void {
    if (this.#trials === undefined || now < this.trialAt) return;
    this.#trials = { ...this.#trials, at: now };
    for (const route of this.#tried) route.send(seal());
  }

  get #tried(): readonly Route[] {
    const isAll = this.#trials?.of === 'all';
    return this.#routes.all.filter((route) => route !== this.#chosen && (isAll || route.kind !== 'relay'));
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
