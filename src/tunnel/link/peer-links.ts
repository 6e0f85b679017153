/** The links to all peers, one after another for each: channels come and go. */
import type { Clock } from '../../base/clock.js';
import { Listeners } from '../../base/listeners.js';
import type { Logger } from '../../base/logger.js';
import { LruMap } from '../../base/lru-map.js';
import { MemoryBudget } from '../../base/memory-budget.js';
import type { Random } from '../../base/random.js';
import type { PeerChannel } from '../wire/peer-channel.js';
import { type Reason, TunnelError } from '../wire/reasons.js';
import type { Service } from '../wire/target.js';
import { type LinkHandlers, PeerLink } from './peer-link.js';

/** Bytes of all peers for fragments of datagrams that wait for others, and the least of each session: one largest datagram. */
const FRAGMENTS = { total: 16 * 1024 * 1024, floor: 80 * 1024 } as const;
/** Upstream servers for which the ids of lost tunnels are remembered, until their next channel. */
const MAX_STALE_PEERS = 64;
/** ms in which a peer answers a hello. */
const ANSWER_TIMEOUT = 10_000;

export interface PeerInfo extends Pick<PeerLink, 'peerId' | 'terms' | 'roundTrip'> {
  readonly tunnels: number;
}

interface Deps {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  /** Makes what a new link tells. */
  readonly handlersOf: (link: PeerLink) => Omit<LinkHandlers, 'onClose'>;
}

export class PeerLinks {
  readonly opened = new Listeners<[link: PeerLink]>();
  readonly closed = new Listeners<[link: PeerLink]>();
  readonly #deps: Deps;
  readonly #links = new Map<string, PeerLink>();
  readonly #staleIds = new LruMap<string, readonly number[]>(MAX_STALE_PEERS);
  readonly #fragments = new MemoryBudget(FRAGMENTS);

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  find(peerId: string): PeerLink | undefined {
    return this.#links.get(peerId);
  }

  get all(): PeerLink[] {
    return [...this.#links.values()];
  }

  list(): PeerInfo[] {
    return this.all.map(({ peerId, terms, roundTrip, tunnels }) => {
      return { peerId, terms, roundTrip, tunnels: tunnels.size };
    });
  }

  /** See TunnelService. */
  attach(channel: PeerChannel, isServer: boolean): void {
    const { peerId } = channel;
    const before = this.#links.get(peerId);
    if (before?.channel === channel) {
      if (isServer) before.greet();
      return;
    }
    before?.close('connection-lost');
    const staleIds = this.#staleIds.get(peerId) ?? [];
    this.#staleIds.delete(peerId);
    const { clock, random, log, handlersOf } = this.#deps;
    const link = new PeerLink(
      {
        channel,
        clock,
        random,
        log: log.child(peerId.slice(0, 8)),
        fragments: this.#fragments,
        handlersOf: (made) => ({ ...handlersOf(made), onClose: () => this.#onClosed(made) }),
      },
      { staleIds },
    );
    this.#links.set(peerId, link);
    if (isServer) link.greet();
    this.opened.tell(link);
  }

  /** Resolves to the round trip in ms. @throws TunnelError `peer-offline`, `connection-lost`, `timeout` */
  async ping(peerId: string): Promise<number> {
    return this.#present(peerId).ping();
  }

  /**
   * Resolves to the services of the peer that we may reach; undefined if it is as upstream.
   * @throws TunnelError `peer-offline`, `connection-lost`, `timeout`
   */
  async services(peerId: string): Promise<readonly Service[] | undefined> {
    const link = this.#present(peerId);
    return new Promise((resolve, reject) => {
      const timeout = this.#deps.clock.after(ANSWER_TIMEOUT, () => {
        cancel();
        reject(new TunnelError('timeout'));
      });
      const cancel = link.askServices((services) => {
        timeout.cancel();
        if (services !== undefined || link.terms === 'upstream') resolve(services);
        else reject(new TunnelError('connection-lost'));
      });
    });
  }

  close(reason: Reason): void {
    for (const link of this.all) link.close(reason);
  }

  #present(peerId: string): PeerLink {
    const link = this.#links.get(peerId);
    if (link === undefined) throw new TunnelError('peer-offline');
    return link;
  }

  #onClosed(link: PeerLink): void {
    const { peerId, staleIds } = link;
    if (this.#links.get(peerId) === link) this.#links.delete(peerId);
    if (staleIds.length > 0) this.#staleIds.set(peerId, staleIds);
    this.closed.tell(link);
  }
}
