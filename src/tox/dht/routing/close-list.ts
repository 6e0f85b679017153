/**
 * The nodes near to ourselves (spec: "k-buckets"): one bucket for each number of leading bits that a key has in common with
 * ours. A good node is never evicted, so that an attacker's new nodes cannot push out the honest ones that we know.
 */
import type { Endpoint } from '../../../base/endpoint.js';
import { commonBits } from '../../crypto/distance.js';
import type { PublicKey } from '../../crypto/keys.js';
import { DhtNode } from './dht-node.js';
import type { InsertResult, NodeList } from './node-list.js';

// Specification: c-toxcore's LCLIENT_LENGTH and LCLIENT_NODES.
const BUCKETS = 128;
const BUCKET_SIZE = 8;

export class CloseList implements NodeList {
  readonly target: PublicKey;
  readonly #buckets: DhtNode[][] = Array.from({ length: BUCKETS }, () => []);
  /** The nodes of all buckets, until a bucket changes. */
  #all: readonly DhtNode[] | undefined;

  constructor(ownKey: PublicKey) {
    this.target = ownKey;
  }

  nodes(): readonly DhtNode[] {
    this.#all ??= this.#buckets.flat();
    return this.#all;
  }

  find(key: PublicKey): DhtNode | undefined {
    return this.#bucketOf(key).find((node) => node.publicKey.equals(key));
  }

  wants(key: PublicKey, endpoint: Endpoint, now: number): boolean {
    const known = this.find(key);
    if (known?.isGood(now)) return known.association(endpoint.family)?.isGood(now) !== true;
    return this.hasRoom(key, now);
  }

  /** Whether a node of this key would enter. */
  hasRoom(key: PublicKey, now: number): boolean {
    const bucket = this.#bucketOf(key);
    return bucket.length < BUCKET_SIZE || bucket.some((node) => !node.isGood(now));
  }

  insert(key: PublicKey, endpoint: Endpoint, now: number): InsertResult {
    const known = this.find(key);
    if (known !== undefined) return known.answeredFrom(endpoint, now) ? 'refreshed' : 'new';
    this.#forget(endpoint);
    const bucket = this.#bucketOf(key);
    if (bucket.length >= BUCKET_SIZE) {
      const bad = bucket.findIndex((node) => !node.isGood(now));
      if (bad < 0) return 'refused';
      bucket.splice(bad, 1);
    }
    bucket.push(new DhtNode(key, endpoint, now));
    this.#all = undefined;
    return 'new';
  }

  remove(node: DhtNode): void {
    const bucket = this.#bucketOf(node.publicKey);
    bucket.splice(bucket.indexOf(node), 1);
    this.#all = undefined;
  }

  #bucketOf(key: PublicKey): DhtNode[] {
    return this.#buckets[Math.min(commonBits(this.target, key), BUCKETS - 1)] as DhtNode[];
  }

  /** A node that restarts has a new key at its old address: the old one is gone. */
  #forget(endpoint: Endpoint): void {
    const old = this.nodes().find((node) => node.isAt(endpoint));
    if (old !== undefined) this.remove(old);
  }
}
