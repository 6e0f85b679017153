/** The eight nodes nearest to a key that we look for (spec: "DHT Search"), the nearest in front. */
import type { Endpoint } from '../../../base/endpoint.js';
import { compareDistance } from '../../crypto/distance.js';
import type { PublicKey } from '../../crypto/keys.js';
import { DhtNode } from './dht-node.js';
import type { InsertResult, NodeList } from './node-list.js';

// Specification: c-toxcore's MAX_FRIEND_CLIENTS.
const SIZE = 8;

export class SearchList implements NodeList {
  readonly target: PublicKey;
  #nodes: DhtNode[] = [];

  constructor(target: PublicKey) {
    this.target = target;
  }

  nodes(): readonly DhtNode[] {
    return this.#nodes;
  }

  find(key: PublicKey): DhtNode | undefined {
    return this.#nodes.find((node) => node.publicKey.equals(key));
  }

  wants(key: PublicKey, endpoint: Endpoint, now: number): boolean {
    const known = this.find(key);
    if (known !== undefined) return known.association(endpoint.family)?.isGood(now) !== true;
    return this.#nodes.length < SIZE || this.#leaving(key, now) !== undefined;
  }

  insert(key: PublicKey, endpoint: Endpoint, now: number): InsertResult {
    const known = this.find(key);
    if (known !== undefined) return known.answeredFrom(endpoint, now) ? 'refreshed' : 'new';
    // A node that restarts has a new key at its old address: the old one is gone.
    this.#nodes = this.#nodes.filter((node) => !node.isAt(endpoint));
    if (this.#nodes.length >= SIZE) {
      const leaving = this.#leaving(key, now);
      if (leaving === undefined) return 'refused';
      this.#nodes = this.#nodes.filter((node) => node !== leaving);
    }
    this.#nodes.push(new DhtNode(key, endpoint, now));
    this.#nodes.sort((a, b) => compareDistance(this.target, a.publicKey, b.publicKey));
    return 'new';
  }

  remove(node: DhtNode): void {
    this.#nodes = this.#nodes.filter((other) => other !== node);
  }

  /** Returns the node that makes room for this key: a bad one, or else the farthest if it is farther away than the key. */
  #leaving(key: PublicKey, now: number): DhtNode | undefined {
    const bad = this.#nodes.findLast((node) => !node.isGood(now));
    if (bad !== undefined) return bad;
    const farthest = this.#nodes.at(-1) as DhtNode;
    return compareDistance(this.target, key, farthest.publicKey) < 0 ? farthest : undefined;
  }
}
