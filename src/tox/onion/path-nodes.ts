/** The nodes of which paths are made: those that are probably alive. */
import { LruMap } from '../../base/lru-map.js';
import type { PublicKey } from '../crypto/keys.js';
import type { NodeInfo } from '../packet/node-info.js';

/** Nodes remembered for the time when the DHT has no good nodes. */
const REMEMBERED = 32;
/** Nodes are tried before they have answered when at most so many are known. */
const TRUSTED_NODES = 2;

/** TCP relays as first hops, which are reached without UDP. */
export interface EntryRelays {
  /** False while UDP works. */
  readonly isNeeded: boolean;
  /** The relays that answer. */
  readonly connected: readonly NodeInfo[];
  sendOnion(relay: PublicKey, data: Buffer): void;
}

/** What the DHT knows about the liveness of nodes. */
export interface NodeHealth {
  /** Whether the node has not answered lately. */
  isSuspect(key: PublicKey): boolean;
  /** Pings the node: a path through it does not work. */
  check(node: NodeInfo): void;
}

export interface OnionDht {
  readonly known: {
    /** Returns the good nodes near to us. */
    near(): readonly NodeInfo[];
    /** Returns the good nodes closest to `target`. */
    closest(target: PublicKey, count: number, options: { readonly lan: boolean }): readonly NodeInfo[];
  };
  readonly liveness?: NodeHealth;
}

export interface PathNodesDeps {
  readonly dht: OnionDht;
  readonly relays?: EntryRelays;
}

export class PathNodes {
  readonly #deps: PathNodesDeps;
  /** The nodes that we learned last, newest first. */
  #known: readonly NodeInfo[] = [];
  /** Nodes that answered through the onion; without UDP the DHT knows no nodes. */
  readonly #answered = new LruMap<string, NodeInfo>(REMEMBERED);

  constructor(deps: PathNodesDeps) {
    this.#deps = deps;
  }

  noteKnown(node: NodeInfo): void {
    const others = this.#known.filter((known) => !known.publicKey.equals(node.publicKey));
    this.#known = [node, ...others].slice(0, REMEMBERED);
  }

  noteAnswer(node: NodeInfo): void {
    this.#answered.set(node.publicKey.hex, node);
  }

  /** The relays with which paths begin; none while UDP works. */
  get relays(): readonly NodeInfo[] {
    const { relays } = this.#deps;
    return relays?.isNeeded ? relays.connected : [];
  }

  /**
   * The nodes for paths. Before any has answered, known nodes are used only when there are one or two: many bootstrap nodes may be
   * dead, and waiting for the first answer is faster than trying paths through them.
   */
  get nodes(): readonly NodeInfo[] {
    if (this.relays.length > 0) return this.#behindRelays();
    const nodes = this.#deps.dht.known.near();
    return nodes.length > 0 || this.#known.length > TRUSTED_NODES ? nodes : this.#known;
  }

  /** Returns the nodes that have answered and those whose relay answers, or else all that we have learned. */
  #behindRelays(): readonly NodeInfo[] {
    const alive = new Map([...this.#answered.values()].map((node) => [node.publicKey.hex, node]));
    const relays = new Set(this.relays.map(({ publicKey }) => publicKey.hex));
    for (const node of this.#known) if (relays.has(node.publicKey.hex)) alive.set(node.publicKey.hex, node);
    return alive.size > 0 ? [...alive.values()] : this.#known;
  }
}
