/** All paths of one client: those for its announcement, those for its searches, and the nodes of which both are made. */
import type { Clock } from '../../base/clock.js';
import type { Endpoint } from '../../base/endpoint.js';
import { LruMap } from '../../base/lru-map.js';
import type { Random } from '../../base/random.js';
import type { KeyPair } from '../crypto/key-pair.js';
import type { PublicKey } from '../crypto/keys.js';
import { SharedKeyCache } from '../crypto/shared-key-cache.js';
import type { NodeInfo } from '../packet/node-info.js';
import { HopPicker, type NodeHealth } from './hop-picker.js';
import { type EntryNode, type FirstHop, udpFirstHop } from './onion-path.js';
import { PathPool } from './path-pool.js';

/** Shared keys of first hops. */
const FIRST_HOP_KEYS = 256;
/** Nodes remembered for the time when the DHT has no good nodes. */
const REMEMBERED = 32;
/** Nodes are tried before they have answered when at most so many are known. */
const TRUSTED_NODES = 2;

/** TCP relays as first hops, which are reached without UDP. */
export interface EntryRelays {
  /** Returns the relays that answer; none while UDP works. */
  connected(): readonly NodeInfo[];
  sendOnion(relay: PublicKey, data: Buffer): unknown;
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

export interface OnionPathsDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly dht: OnionDht;
  readonly relays?: EntryRelays;
  readonly send: (packet: Buffer, destination: Endpoint) => void;
}

export class OnionPaths {
  /** The paths of our announcement; separate, so that no exit sees both our key and those of our friends. */
  readonly own: PathPool;
  readonly friends: PathPool;
  readonly #deps: OnionPathsDeps;
  /** The nodes that we learned last, newest first. */
  #known: readonly NodeInfo[] = [];
  /** Nodes that answered through the onion; without UDP the DHT knows no nodes. */
  readonly #answered = new LruMap<string, NodeInfo>(REMEMBERED);

  constructor(deps: OnionPathsDeps, dhtKeyPair: KeyPair) {
    const { clock, random } = deps;
    this.#deps = deps;
    const hops = new HopPicker({
      clock,
      random,
      nodes: () => this.nodes,
      relays: () => this.relays,
      health: deps.dht.liveness,
    });
    const firstHop = firstHops(deps, dhtKeyPair);
    this.own = new PathPool({ clock, random, hops, firstHop });
    this.friends = new PathPool({ clock, random, hops, firstHop });
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
    return this.#deps.relays?.connected() ?? [];
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

  /** Gives up all paths. */
  clear(): void {
    this.own.clear();
    this.friends.clear();
  }

  /** Gives up paths that never answered or wait for an answer, because another first hop is available. */
  forgetUnanswered(): void {
    this.own.forgetUnanswered();
    this.friends.forgetUnanswered();
  }

  /** Gives up the paths through a node that is gone. @returns whether there were any */
  forgetThrough(node: NodeInfo): boolean {
    return [this.own, this.friends].map((pool) => pool.forgetThrough(node.publicKey)).includes(true);
  }

  /** Returns the nodes that have answered and those whose relay answers, or else all that we have learned. */
  #behindRelays(): readonly NodeInfo[] {
    const alive = new Map([...this.#answered.values()].map((node) => [node.publicKey.hex, node]));
    const relays = new Set(this.relays.map(({ publicKey }) => publicKey.hex));
    for (const node of this.#known) if (relays.has(node.publicKey.hex)) alive.set(node.publicKey.hex, node);
    return alive.size > 0 ? [...alive.values()] : this.#known;
  }
}

function firstHops({ relays, send }: OnionPathsDeps, dhtKeyPair: KeyPair): (node: EntryNode) => FirstHop {
  const keys = new SharedKeyCache(dhtKeyPair.secretKey, FIRST_HOP_KEYS);
  return (node) =>
    // A TCP relay gets the layer as it is: our connection to it stands for the seal.
    node.transport === 'tcp'
      ? (nonce, layer) => relays?.sendOnion(node.publicKey, Buffer.concat([nonce, layer]))
      : udpFirstHop({ ownKey: dhtKeyPair.publicKey, sharedKey: keys.get(node.publicKey), send }, node);
}
