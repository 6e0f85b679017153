/** Requests that wait for an answer (c-toxcore ping_array.c). An answer counts once, in time, from the address that we asked. */
import type { Endpoint } from '../../../base/endpoint.js';
import { ExpiringMap } from '../../../base/expiring-map.js';
import { type Random, randomId } from '../../../base/random.js';
import type { PublicKey } from '../../crypto/keys.js';
import type { NodeInfo } from '../../packet/node-info.js';

// Specification.
const TIMEOUT_MS = 5000;
// c-toxcore has 512. A node with hundreds of friends starts with more searches than that; 4096 cost 1 MB.
const CAPACITY = 4096;

interface Pending<Context> {
  readonly node: NodeInfo;
  readonly context: Context;
}

export class PendingRequests<Context> {
  readonly #random: Random;
  readonly #pending = new ExpiringMap<bigint, Pending<Context>>(TIMEOUT_MS, CAPACITY);

  constructor(random: Random) {
    this.#random = random;
  }

  /** Remembers a request. @returns the id to send with it, never 0 */
  add(node: NodeInfo, context: Context, now: number): bigint {
    const id = randomId(this.#random);
    this.#pending.set(id, { node, context }, now);
    return id;
  }

  /** Returns the context of the request with this id to this key and address, and forgets it; undefined for any other answer. */
  take(id: bigint, key: PublicKey, source: Endpoint, now: number): Context | undefined {
    const pending = this.#pending.get(id, now);
    if (pending === undefined || !pending.node.publicKey.equals(key) || !pending.node.endpoint.equals(source)) {
      return undefined;
    }
    this.#pending.delete(id);
    return pending.context;
  }
}
