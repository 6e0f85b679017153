/** One node of a list: its key, and its addresses by IPv4 and by IPv6. */
import type { Endpoint } from '../../../base/endpoint.js';
import type { PublicKey } from '../../crypto/keys.js';
import type { NodeInfo } from '../../packet/node-info.js';

// Specification.
/** After two unanswered pings, 60 s apart, and 2 s for the answer a node is bad, and is not sent to others. */
const BAD_AFTER_MS = 122_000;
/** After one more ping a bad node is dead, and is not asked any more. */
const DEAD_AFTER_MS = 182_000;

/** One address of a node. Times are ms of the clock. */
export class Association {
  #endpoint: Endpoint;
  #answeredAt: number;
  /** When it was last asked for nodes. */
  askedAt = Number.NEGATIVE_INFINITY;

  constructor(endpoint: Endpoint, now: number) {
    this.#endpoint = endpoint;
    this.#answeredAt = now;
  }

  get endpoint(): Endpoint {
    return this.#endpoint;
  }

  get answeredAt(): number {
    return this.#answeredAt;
  }

  isGood(now: number): boolean {
    return now - this.#answeredAt < BAD_AFTER_MS;
  }

  isDead(now: number): boolean {
    return now - this.#answeredAt >= DEAD_AFTER_MS;
  }

  /** The node answered from `endpoint`. While its public address is good, one in our own network does not replace it. */
  answeredFrom(endpoint: Endpoint, now: number): void {
    if (this.isGood(now) && endpoint.isLan && !this.#endpoint.isLan) return;
    this.#endpoint = endpoint;
    this.#answeredAt = now;
  }

  /** Makes a dead address merely bad, so that it is asked again. */
  revive(now: number): void {
    this.#answeredAt = Math.max(this.#answeredAt, now - BAD_AFTER_MS);
  }
}

export class DhtNode {
  readonly publicKey: PublicKey;
  #ipv4: Association | undefined;
  #ipv6: Association | undefined;
  #associations: readonly Association[] = [];

  constructor(publicKey: PublicKey, endpoint: Endpoint, now: number) {
    this.publicKey = publicKey;
    this.answeredFrom(endpoint, now);
  }

  /** The node answered from `endpoint`. Returns whether the node was good before. */
  answeredFrom(endpoint: Endpoint, now: number): boolean {
    const wasGood = this.isGood(now);
    const known = this.association(endpoint.family);
    if (known !== undefined) {
      known.answeredFrom(endpoint, now);
      return wasGood;
    }
    if (endpoint.family === 4) this.#ipv4 = new Association(endpoint, now);
    else this.#ipv6 = new Association(endpoint, now);
    this.#associations = [this.#ipv6, this.#ipv4].filter((association) => association !== undefined);
    return wasGood;
  }

  association(family: 4 | 6): Association | undefined {
    return family === 4 ? this.#ipv4 : this.#ipv6;
  }

  /** One or two addresses, IPv6 first. */
  get associations(): readonly Association[] {
    return this.#associations;
  }

  /** Returns the good addresses, the latest first, and a link-local one, which is useless to other machines, last. */
  goodEndpoints(now: number): readonly Endpoint[] {
    return this.associations
      .filter((association) => association.isGood(now))
      .sort(byPreference)
      .map((association) => association.endpoint);
  }

  /** Returns the first of `goodEndpoints`; without `lan`, the first outside of local networks. Allocates nothing. */
  goodEndpoint(now: number, lan = true): Endpoint | undefined {
    const isUsable = (one: Association | undefined): one is Association =>
      one?.isGood(now) === true && (lan || !one.endpoint.isLan);
    const [ipv6, ipv4] = [this.#ipv6, this.#ipv4];
    if (!isUsable(ipv4)) return isUsable(ipv6) ? ipv6.endpoint : undefined;
    return isUsable(ipv6) && byPreference(ipv6, ipv4) <= 0 ? ipv6.endpoint : ipv4.endpoint;
  }

  isGood(now: number): boolean {
    return this.#ipv4?.isGood(now) === true || this.#ipv6?.isGood(now) === true;
  }

  isDead(now: number): boolean {
    return this.associations.every((association) => association.isDead(now));
  }

  isAt(endpoint: Endpoint): boolean {
    return this.association(endpoint.family)?.endpoint.equals(endpoint) === true;
  }

  /** Whether the node has a good address other than this one, to which it may have moved. */
  isElsewhere(endpoint: Endpoint, now: number): boolean {
    const association = this.association(endpoint.family);
    if (association?.isGood(now) !== true || association.endpoint.equals(endpoint)) return false;
    return !endpoint.isLan || association.endpoint.isLan;
  }

  /** Returns its key with the first good address, for other nodes; undefined when no address is good. */
  info(now: number): NodeInfo | undefined {
    const endpoint = this.goodEndpoint(now);
    return endpoint && { publicKey: this.publicKey, endpoint };
  }
}

const byPreference = (a: Association, b: Association): number =>
  Number(isScoped(a)) - Number(isScoped(b)) || b.answeredAt - a.answeredAt;

const isScoped = ({ endpoint }: Association): boolean => endpoint.address.includes('%');
