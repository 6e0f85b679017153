/** Sends every nodes request: drops those that cannot arrive, limits their rate, and counts each for UDP health. */
import type { Clock } from '../../../base/clock.js';
import { TokenBucket } from '../../../base/token-bucket.js';
import type { PublicKey } from '../../crypto/keys.js';
import type { NodeInfo } from '../../packet/node-info.js';
import { type UdpHealth, UdpHealthRecord } from './udp-health.js';

// Answers make us ask the nodes that they name. However many searches run, no hostile node may make us flood a third
// party. Two hundred settled searches ask 40 times a second, and 4000 times when they begin.
const ASKED_PER_SECOND = 500;
const ASKED_AT_ONCE = 2000;

export interface RequestLimiterDeps {
  readonly clock: Clock;
  /** False for a node that must not be asked: ourselves, or an address that cannot be reached. */
  readonly isReachable: (node: NodeInfo) => boolean;
  readonly request: (node: NodeInfo, target: PublicKey) => void;
  /** A request is about to be sent. */
  readonly onAsked: (node: NodeInfo) => void;
  /** Whether the node has answered recently, so that it should answer again. */
  readonly isGood: (key: PublicKey) => boolean;
  /** Whether we search for the node. */
  readonly isSought: (key: PublicKey) => boolean;
}

export class RequestLimiter {
  readonly #deps: RequestLimiterDeps;
  readonly #limit: TokenBucket;
  readonly #udpHealth = new UdpHealthRecord();

  constructor(deps: RequestLimiterDeps) {
    this.#deps = deps;
    this.#limit = new TokenBucket(ASKED_PER_SECOND, ASKED_AT_ONCE, deps.clock.now());
  }

  readonly ask = (node: NodeInfo, target: PublicKey): void => {
    const { clock, isReachable, request, onAsked, isGood, isSought } = this.#deps;
    const now = clock.now();
    if (!isReachable(node) || !this.#limit.take(now)) return;
    // A node that we search for may be behind a NAT or firewall of its own, and says nothing about ours.
    if (!isSought(node.publicKey)) this.#udpHealth.asked(node.endpoint, isGood(node.publicKey), now);
    onAsked(node);
    request(node, target);
  };

  /** The node has answered any request. */
  answered(node: NodeInfo): void {
    this.#udpHealth.answered(node.endpoint, this.#deps.clock.now());
  }

  /** Whether UDP works, by recent requests and answers. */
  get udpHealth(): UdpHealth {
    return this.#udpHealth.at(this.#deps.clock.now());
  }
}
