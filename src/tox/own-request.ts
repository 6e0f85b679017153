/** Our request to a friend: sent when a node is found that stores the friend, repeated until there is a connection, and with each connection. */
import type { Clock } from '../base/clock.js';
import { Repeater } from '../base/repeater.js';
import { requestForConnection } from './packet/friend.js';

/** ms between friend requests; the first one is sent as soon as a node stores the friend. */
const REQUEST_GAPS = [500, 700, 1_000, 1_500, 2_500, 4_000, 6_000, 10_000, 20_000, 40_000];

/** How it is sent. */
export interface RequestWays {
  /** Through the onion. @returns how many copies */
  throughOnion(data: Buffer): number;
  /** Over the established connection, if there is one. */
  overConnection(data: Buffer): void;
}

export class OwnRequest {
  readonly #repeats: Repeater;
  #data: Buffer | undefined;
  #ways: RequestWays | undefined;

  /** @param data of the onion; undefined: nothing is asked yet */
  constructor(clock: Clock, data: Buffer | undefined) {
    this.#data = data;
    this.#repeats = new Repeater(clock, REQUEST_GAPS, () => this.#repeat());
  }

  /** Whether there is one. */
  get isWanted(): boolean {
    return this.#data !== undefined;
  }

  /** The friend can be reached from now on. */
  attach(ways: RequestWays): void {
    this.#ways = ways;
  }

  /** @param data of the onion */
  ask(data: Buffer): void {
    this.#data = data;
    this.#ways?.overConnection(requestForConnection(data));
  }

  withdraw(): void {
    this.stop();
    this.#data = undefined;
  }

  onReachable(send: (data: Buffer) => void): void {
    if (this.#data === undefined) return;
    send(this.#data);
    this.#repeats.start();
  }

  /** Where the friend has asked us, there is a connection before our request has come through the onion. */
  onConnecting(send: (data: Buffer) => void): void {
    if (this.#data !== undefined) send(requestForConnection(this.#data));
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
    if (this.#data === undefined || !this.#ways?.throughOnion(this.#data)) this.stop();
  }
}
