/** Every nodes request goes out here, whoever wants it: none without sense, not too many, and each counts for our health. */
import type { Clock } from '../../../base/clock.js';
import { TokenBucket } from '../../../base/token-bucket.js';
import type { PublicKey } from '../../crypto/keys.js';
import type { NodeInfo } from '../../packet/node-info.js';
import type { AddressFilter } from './address-filter.js';
import { type UdpHealth, UdpHealthRecord } from './udp-health.js';

// Answers make us ask the nodes that they name. However many searches run, no liar shall make us flood a
// third party; two hundred searches at rest ask 40 times a second, and 4000 times when they begin.
const ASKED_PER_SECOND = 500;
const ASKED_AT_ONCE = 2000;

export interface RequestLimiterDeps {
  readonly clock: Clock;
  readonly filter: AddressFilter;
  readonly request: (node: NodeInfo, target: PublicKey) => void;
  /** A request is about to go. */
  readonly onAsked: (node: NodeInfo) => void;
  /** Whether the node has answered lately, so that it should again. */
  readonly isGood: (key: PublicKey) => boolean;
  /** Whether it is one that we look for. */
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
    const { clock, filter, request, onAsked, isGood, isSought } = this.#deps;
    const now = clock.now();
    if (!filter.includes(node) || !this.#limit.take(now)) return;
    // Whom we look for may be behind a NAT or a firewall of its own, and tells nothing about ours.
    if (!isSought(node.publicKey)) this.#udpHealth.asked(node.endpoint, isGood(node.publicKey), now);
    onAsked(node);
    request(node, target);
  };

  /** The node has answered, whatever it was asked. */
  answered(node: NodeInfo): void {
    this.#udpHealth.answered(node.endpoint, this.#deps.clock.now());
  }

  /** Whether nodes answer us, by what was asked and heard lately. */
  get udpHealth(): UdpHealth {
    return this.#udpHealth.at(this.#deps.clock.now());
  }
}
