/** Our request to a friend: sent when a node is found that stores the friend, repeated until there is a connection, and with each connection. */
import type { Clock } from '../base/clock.js';
import { Repeater } from '../base/repeater.js';
import { requestForConnection } from './packet/friend.js';

/** ms between friend requests; the first one is sent as soon as a node stores the friend. */
const REQUEST_GAPS = [500, 700, 1_000, 1_500, 2_500, 4_000, 6_000, 10_000, 20_000, 40_000];

/** Onion data; asked for each time, at least one. */
export type Requests = () => readonly Buffer[];

/** How it is sent. */
export interface RequestWays {
  /** Through the onion. @returns how many copies */
  throughOnion(data: Buffer): number;
  /** Over the established connection, if there is one. */
  overConnection(data: Buffer): void;
}

export class OwnRequest {
  readonly #repeats: Repeater;
  #requests: Requests | undefined;
  /** How many were sent through the onion: several take turns. */
  #sent = 0;
  #ways: RequestWays | undefined;

  /** @param requests undefined: nothing is asked yet */
  constructor(clock: Clock, requests: Requests | undefined) {
    this.#requests = requests;
    this.#repeats = new Repeater(clock, REQUEST_GAPS, () => this.#repeat());
  }

  /** Whether there is one. */
  get isWanted(): boolean {
    return this.#requests !== undefined;
  }

  /** The friend can be reached from now on. */
  attach(ways: RequestWays): void {
    this.#ways = ways;
  }

  ask(requests: Requests): void {
    this.#requests = requests;
    for (const data of requests()) this.#ways?.overConnection(requestForConnection(data));
  }

  withdraw(): void {
    this.stop();
    this.#requests = undefined;
  }

  onReachable(send: (data: Buffer) => void): void {
    const data = this.#next();
    if (data === undefined) return;
    send(data);
    this.#repeats.start();
  }

  /** Where the friend has asked us, there is a connection before our request has come through the onion. */
  onConnecting(send: (data: Buffer) => void): void {
    for (const data of this.#requests?.() ?? []) send(requestForConnection(data));
  }

  /** Begins with the short gaps again, if it is being repeated. */
  restart(): void {
    if (!this.#repeats.isRunning) return;
    this.#repeats.stop();
    this.#repeats.start();
  }

  stop(): void {
    this.#repeats.stop();
  }

  /** Stops when no node stores the friend any more; `onReachable` starts it again. */
  #repeat(): void {
    const data = this.#next();
    if (data === undefined || !this.#ways?.throughOnion(data)) this.stop();
  }

  #next(): Buffer | undefined {
    const requests = this.#requests?.() ?? [];
    const data = requests[this.#sent % requests.length];
    this.#sent += 1;
    return data;
  }
}
