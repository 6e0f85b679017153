/** Nodes of an earlier run (c-toxcore dht_connect_after_load). Eight a second are asked until we are connected. */
import type { NodeInfo } from '../../packet/node-info.js';

// Specification.
const NODES_PER_SECOND = 8;
/** More than a full close list has in practice. */
const MAX_NODES = 512;
/** The pause after each round of all nodes doubles up to this limit, which keeps the wait short when the network is back. */
const FIRST_REST_MS = 4000;
const LONGEST_REST_MS = 16_000;

export class SavedNodes {
  readonly #ask: (node: NodeInfo) => void;
  #nodes: readonly NodeInfo[] = [];
  #next = 0;
  #rest = FIRST_REST_MS;
  #restsUntil = Number.NEGATIVE_INFINITY;

  constructor(ask: (node: NodeInfo) => void) {
    this.#ask = ask;
  }

  add(nodes: readonly NodeInfo[]): void {
    this.#nodes = [...nodes, ...this.#nodes].slice(0, MAX_NODES);
    this.restart();
  }

  /** Starts a new round at once. */
  restart(): void {
    this.#next = 0;
    this.#rest = FIRST_REST_MS;
    this.#restsUntil = Number.NEGATIVE_INFINITY;
  }

  /** Called once a second. @param isConnected whether we are connected to more than a local network */
  tick(now: number, isConnected: boolean): void {
    if (isConnected || now < this.#restsUntil) return;
    for (const node of this.#nodes.slice(this.#next, this.#next + NODES_PER_SECOND)) this.#ask(node);
    this.#next += NODES_PER_SECOND;
    if (this.#next < this.#nodes.length) return;
    this.#next = 0;
    this.#restsUntil = now + this.#rest;
    this.#rest = Math.min(LONGEST_REST_MS, this.#rest * 2);
  }
}
