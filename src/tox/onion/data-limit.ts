/**
 * Limits how much onion data we open. Data for us comes from the first hop of a path by which we are announced, but any host that
 * knows our address can send such packets, also with a forged source. So each first hop has a share of its own, all of them share
 * another one, and all other sources have the rest, since a first hop may answer from another address.
 */
import type { Endpoint } from '../../base/endpoint.js';
import { TokenBucket } from '../../base/token-bucket.js';
import type { NodeInfo } from '../packet/node-info.js';
import type { EntryNode } from './onion-path.js';

/** Packets opened a second, in bursts of twice as many. Each costs 120 µs: all shares are an eighth of a core. */
const EACH_FIRST_HOP = 25;
const ALL_FIRST_HOPS = 500;
const OTHERS = 100;
/** First hops with a share: two or three times as many as are in use, those that were confirmed last. */
const FIRST_HOPS = 16;

/** Where a packet came from. */
export type DataSource = string;

const OTHER_SOURCES: DataSource = 'others';

export const sourceByUdp = (endpoint: Endpoint): DataSource => endpoint.key;
export const sourceByRelay = ({ publicKey }: Pick<NodeInfo, 'publicKey'>): DataSource => `relay ${publicKey.hex}`;

export class DataLimit {
  /** In the order in which they were confirmed; packets, whose source may be forged, do not change it. */
  readonly #firstHops = new Map<DataSource, TokenBucket>();
  readonly #allFirstHops: TokenBucket;
  readonly #others: TokenBucket;

  /** @param now ms of the clock that later calls use */
  constructor(now: number) {
    this.#allFirstHops = new TokenBucket(ALL_FIRST_HOPS, 2 * ALL_FIRST_HOPS, now);
    this.#others = new TokenBucket(OTHERS, 2 * OTHERS, now);
  }

  /** A node that stores us has confirmed that it reaches us through this hop. */
  noteFirstHop(hop: EntryNode, now: number): void {
    const source = hop.transport === 'tcp' ? sourceByRelay(hop) : sourceByUdp(hop.endpoint);
    const share = this.#firstHops.get(source) ?? new TokenBucket(EACH_FIRST_HOP, 2 * EACH_FIRST_HOP, now);
    this.#firstHops.delete(source);
    this.#firstHops.set(source, share);
    const [oldest] = this.#firstHops.keys();
    if (this.#firstHops.size > FIRST_HOPS && oldest !== undefined) this.#firstHops.delete(oldest);
  }

  /** Returns the source for a limit by source, in which all sources that are no first hop are one. */
  groupOf(source: DataSource): DataSource {
    return this.#firstHops.has(source) ? source : OTHER_SOURCES;
  }

  isFirstHop(source: DataSource): boolean {
    return this.#firstHops.has(source);
  }

  /** Takes a packet from the share of its source. @returns false when it must not be opened */
  take(source: DataSource, now: number): boolean {
    const share = this.#firstHops.get(source);
    if (share === undefined) return this.#others.take(now);
    return share.take(now) || this.#allFirstHops.take(now);
  }
}
