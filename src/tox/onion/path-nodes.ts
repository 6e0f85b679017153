/** Which nodes paths are made of: those that live, as far as anybody knows. */
import { LruMap } from '../../base/lru-map.js';
import type { PublicKey } from '../crypto/keys.js';
import type { NodeInfo } from '../packet/node-info.js';

/** Nodes remembered for the time when the DHT names none for paths. */
const REMEMBERED = 32;
/** As many known nodes as are tried before they have answered. */
const TRUSTED_NODES = 2;

/** First hops that are reached without UDP. */
export interface EntryRelays {
  /** False where UDP works. */
  readonly isNeeded: boolean;
  /** Those that answer. */
  readonly connected: readonly NodeInfo[];
  sendOnion(relay: PublicKey, data: Buffer): void;
}

/** What is known of a node's life, from the DHT. */
export interface NodeHealth {
  /** Whether it stays silent of late. */
  isSuspect(key: PublicKey): boolean;
  /** A path through it does not work: it is asked whether it lives. */
  check(node: NodeInfo): void;
}

export interface PathNodesDeps {
  /** The DHT's good nodes, and bootstrap nodes before any is good. */
  readonly pathNodes: () => readonly NodeInfo[];
  readonly relays?: EntryRelays;
}

export class PathNodes {
  readonly #deps: PathNodesDeps;
  /** The nodes named to us last, newest first. */
  #known: readonly NodeInfo[] = [];
  /** Nodes that answered us through the onion: where UDP does not work, the DHT knows none. */
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

  /** Relays that paths begin with; none where UDP works. */
  get relays(): readonly NodeInfo[] {
    const { relays } = this.#deps;
    return relays?.isNeeded ? relays.connected : [];
  }

  /**
   * Nodes that live. Before any has answered, only in a network of one or two known nodes are these taken on trust: of many
   * bootstrap nodes most may be dead, and waiting for the first answer is faster than trying paths through them.
   */
  get nodes(): readonly NodeInfo[] {
    if (this.relays.length > 0) return this.#behindRelays();
    const nodes = this.#deps.pathNodes();
    return nodes.length > 0 || this.#known.length > TRUSTED_NODES ? nodes : this.#known;
  }

  /** Those that have answered and those whose relay answers, else all that we were told of. */
  #behindRelays(): readonly NodeInfo[] {
    const alive = new Map([...this.#answered.values()].map((node) => [node.publicKey.hex, node]));
    const relays = new Set(this.relays.map(({ publicKey }) => publicKey.hex));
    for (const node of this.#known) if (relays.has(node.publicKey.hex)) alive.set(node.publicKey.hex, node);
    return alive.size > 0 ? [...alive.values()] : this.#known;
  }
}
