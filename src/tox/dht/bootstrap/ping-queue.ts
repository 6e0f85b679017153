/**
 * Nodes that sent us a request first (c-toxcore ping_add). They enter our lists only after they have answered a ping, since a
 * source address can be forged. The pings are limited, so that no sender can make us flood a third party.
 */
import { TokenBucket } from '../../../base/token-bucket.js';
import { compareDistance } from '../../crypto/distance.js';
import type { PublicKey } from '../../crypto/keys.js';
import type { NodeInfo } from '../../packet/node-info.js';

// Specification: 32 nodes wait, and are pinged every two seconds. We ping at once, at the same rate.
const CAPACITY = 32;
const PINGS_PER_SECOND = 16;

export interface PingQueueDeps {
  readonly ownKey: PublicKey;
  readonly ping: (node: NodeInfo) => void;
  /** Whether the node would enter our lists. */
  readonly isWanted: (node: NodeInfo) => boolean;
}

export class PingQueue {
  readonly #deps: PingQueueDeps;
  readonly #limit: TokenBucket;
  #waiting: NodeInfo[] = [];

  /** @param now ms of the clock that later calls use */
  constructor(deps: PingQueueDeps, now: number) {
    this.#deps = deps;
    this.#limit = new TokenBucket(PINGS_PER_SECOND, CAPACITY, now);
  }

  /** Pings the node now or soon if it is wanted. When too many wait, the nearest to us stay. */
  add(node: NodeInfo, now: number): void {
    if (!this.#deps.isWanted(node)) return;
    if (this.#waiting.some((other) => other.publicKey.equals(node.publicKey))) return;
    if (this.#waiting.length === 0 && this.#limit.take(now)) {
      this.#deps.ping(node);
      return;
    }
    this.#waiting.push(node);
    if (this.#waiting.length <= CAPACITY) return;
    this.#waiting.sort((a, b) => compareDistance(this.#deps.ownKey, a.publicKey, b.publicKey));
    this.#waiting.pop();
  }

  /** Pings waiting nodes as far as the rate allows. */
  tick(now: number): void {
    const waiting = this.#waiting.filter((node) => this.#deps.isWanted(node));
    while (waiting.length > 0 && this.#limit.take(now)) this.#deps.ping(waiting.shift() as NodeInfo);
    this.#waiting = waiting;
  }
}
