/**
 * How much onion data we open. What is sent to us comes back from the first hop of a path by which we are announced; anybody who
 * knows our address can send the like of it from elsewhere, or in the name of one of these. So each first hop has a share of its
 * own, all of them together have another, and all other sources have the rest: a first hop that answers from another address has
 * its chance too.
 */
import type { Endpoint } from '../../base/endpoint.js';
import { TokenBucket } from '../../base/token-bucket.js';
import type { NodeInfo } from '../packet/node-info.js';
import type { EntryNode } from './onion-path.js';

/**
 * Packets opened a second, and at once twice as many. Two key agreements are some 120 µs, so that all of them,
 * 1,000 a second, are an eighth of a core.
 */
const EACH_FIRST_HOP = 25;
const ALL_FIRST_HOPS = 500;
const OTHERS = 100;
/** Two or three times the paths that are in use; those of which a node has confirmed our announcement last. */
const FIRST_HOPS = 16;

/** Where a packet came from. */
export type DataSource = string;

const OTHER_SOURCES: DataSource = 'others';

export const sourceByUdp = (endpoint: Endpoint): DataSource => endpoint.key;
export const sourceByRelay = ({ publicKey }: Pick<NodeInfo, 'publicKey'>): DataSource => `relay ${publicKey.hex}`;

export class DataLimit {
  /** Those noted longest ago first: what comes in their name, which may be forged, changes nothing. */
  readonly #firstHops = new Map<DataSource, TokenBucket>();
  readonly #allFirstHops: TokenBucket;
  readonly #others: TokenBucket;

  /** @param now ms of the clock that later calls use */
  constructor(now: number) {
    this.#allFirstHops = new TokenBucket(ALL_FIRST_HOPS, 2 * ALL_FIRST_HOPS, now);
    this.#others = new TokenBucket(OTHERS, 2 * OTHERS, now);
  }

  /** A node has confirmed that it stores us, and reaches us through this hop. */
  noteFirstHop(hop: EntryNode, now: number): void {
    const source = hop.transport === 'tcp' ? sourceByRelay(hop) : sourceByUdp(hop.endpoint);
    const share = this.#firstHops.get(source) ?? new TokenBucket(EACH_FIRST_HOP, 2 * EACH_FIRST_HOP, now);
    this.#firstHops.delete(source);
    this.#firstHops.set(source, share);
    const [oldest] = this.#firstHops.keys();
    if (this.#firstHops.size > FIRST_HOPS && oldest !== undefined) this.#firstHops.delete(oldest);
  }

  /** For those who share something out by where data came from: all that are no first hops are one. */
  wayOf(source: DataSource): DataSource {
    return this.#firstHops.has(source) ? source : OTHER_SOURCES;
  }

  isFirstHop(source: DataSource): boolean {
    return this.#firstHops.has(source);
  }

  /** Whether one more packet may be opened. */
  take(source: DataSource, now: number): boolean {
    const share = this.#firstHops.get(source);
    if (share === undefined) return this.#others.take(now);
    return share.take(now) || this.#allFirstHops.take(now);
  }
}
