/** The way that one connection's packets take at present, chosen anew at the end of each turn from the routes there are. */
import type { Endpoint } from '../../base/endpoint.js';
import type { Route } from './route.js';
import { RouteTable } from './route-table.js';

/** Specification (UDP_DIRECT_TIMEOUT / 2 and its size limit): while a relay carries all, small packets try UDP now and then. */
const UDP_TRIAL_INTERVAL = 4000;
const UDP_TRIAL_SIZE = 96;

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

export class Path {
  readonly #deps: PathDeps;
  readonly #routes = new RouteTable();
  #chosen: Route | undefined;
  #udpTriedAt = Number.NEGATIVE_INFINITY;
  #wasDirect = false;

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
    if (route.kind !== 'relay') this.#udpTriedAt = Number.NEGATIVE_INFINITY;
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

  choose(now: number): void {
    const isDirect = this.#routes.isSurelyDirect(now);
    if (isDirect !== this.#wasDirect) {
      this.#wasDirect = isDirect;
      this.#deps.onDirectChange(isDirect);
    }
    const route = this.#routes.best(now);
    if (route === this.#chosen) return;
    this.#chosen = route;
    this.#deps.onChange(route);
  }

  /** Sends a data packet the chosen way. */
  send(packet: Buffer): void {
    const route = this.#chosen ?? this.#routes.best(this.#deps.now());
    route?.send(packet);
    if (route?.kind === 'relay' && packet.length < UDP_TRIAL_SIZE) this.#tryUdp(packet);
  }

  #tryUdp(packet: Buffer): void {
    const now = this.#deps.now();
    if (now - this.#udpTriedAt < UDP_TRIAL_INTERVAL) return;
    this.#udpTriedAt = now;
    for (const route of this.#routes.udp) route.send(packet);
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
