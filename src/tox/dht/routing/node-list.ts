/**
 * The nodes near to a key, at most eight in a bucket, the nearest of a bucket in front.
 *
 * The close list, near to ourselves (spec: "k-buckets"), has one bucket for each number of leading bits that a key has in common
 * with ours. A good node is never evicted, so that an attacker's new nodes cannot push out the honest ones that we know.
 *
 * The list of a search (spec: "DHT Search") has a single bucket, in which a nearer node takes the place of the farthest one.
 */
import type { Endpoint } from '../../../base/endpoint.js';
import { commonBits, compareDistance } from '../../crypto/distance.js';
import type { PublicKey } from '../../crypto/keys.js';
import { DhtNode } from './dht-node.js';

// Specification: c-toxcore's LCLIENT_LENGTH, and LCLIENT_NODES or MAX_FRIEND_CLIENTS.
const CLOSE_BUCKETS = 128;
const BUCKET_SIZE = 8;

/** `new` also stands for a bad node that is good again. */
export type InsertResult = 'new' | 'refreshed' | 'refused';

export class NodeList {
  /** The key to which its nodes are near. */
  readonly target: PublicKey;
  readonly #mostBuckets: number;
  /** Those of longer prefixes than any node has had are not there yet. */
  readonly #buckets: DhtNode[][] = [];
  /** The nodes of all buckets and the heads of their keys, until a bucket changes. */
  #all: readonly DhtNode[] | undefined;
  #heads: Int32Array | undefined;

  private constructor(target: PublicKey, mostBuckets: number) {
    this.target = target;
    this.#mostBuckets = mostBuckets;
  }

  static close(ownKey: PublicKey): NodeList {
    return new NodeList(ownKey, CLOSE_BUCKETS);
  }

  static search(key: PublicKey): NodeList {
    return new NodeList(key, 1);
  }

  /** Every node, good or not. */
  nodes(): readonly DhtNode[] {
    this.#all ??= this.#buckets.flat();
    return this.#all;
  }

  /** The first 32 bits of the keys of `nodes()`, in one piece of memory: a search over all nodes reads nothing else of most. */
  heads(): Int32Array {
    this.#heads ??= Int32Array.from(this.nodes(), ({ publicKey }) => publicKey.head);
    return this.#heads;
  }

  find(key: PublicKey): DhtNode | undefined {
    return this.#bucketOf(key).find((node) => node.publicKey.equals(key));
  }

  /** Whether the node should be asked: it would enter, or it is in the list without a good address of that family. */
  wants(key: PublicKey, endpoint: Endpoint, now: number): boolean {
    const known = this.find(key);
    if (known !== undefined) return known.association(endpoint.family)?.isGood(now) !== true;
    const bucket = this.#bucketOf(key);
    return bucket.length < BUCKET_SIZE || this.#leaving(bucket, key, now) !== undefined;
  }

  /** Adds or refreshes a node that has answered. */
  insert(key: PublicKey, endpoint: Endpoint, now: number): InsertResult {
    const known = this.find(key);
    if (known !== undefined) return known.answeredFrom(endpoint, now) ? 'refreshed' : 'new';
    // A node that restarts has a new key at its old address: the old one is gone.
    const old = this.nodes().find((node) => node.isAt(endpoint));
    if (old !== undefined) this.remove(old);
    const bucket = this.#bucketOf(key);
    if (bucket.length >= BUCKET_SIZE) {
      const leaving = this.#leaving(bucket, key, now);
      if (leaving === undefined) return 'refused';
      this.remove(leaving);
    }
    bucket.push(new DhtNode(key, endpoint, now));
    bucket.sort((a, b) => compareDistance(this.target, a.publicKey, b.publicKey));
    this.#forgetAll();
    return 'new';
  }

  /** Removes a node of the list. */
  remove(node: DhtNode): void {
    const bucket = this.#bucketOf(node.publicKey);
    bucket.splice(bucket.indexOf(node), 1);
    this.#forgetAll();
  }

  #forgetAll(): void {
    this.#all = undefined;
    this.#heads = undefined;
  }

  #bucketOf(key: PublicKey): DhtNode[] {
    const index = Math.min(commonBits(this.target, key), this.#mostBuckets - 1);
    while (this.#buckets.length <= index) this.#buckets.push([]);
    return this.#buckets[index] as DhtNode[];
  }

  /** Returns the node of a full bucket that makes room: a bad one, or in a search the farthest if the key is nearer. */
  #leaving(bucket: readonly DhtNode[], key: PublicKey, now: number): DhtNode | undefined {
    const bad = bucket.findLast((node) => !node.isGood(now));
    if (bad !== undefined || this.#mostBuckets > 1) return bad;
    const farthest = bucket.at(-1) as DhtNode;
    return compareDistance(this.target, key, farthest.publicKey) < 0 ? farthest : undefined;
  }
}
