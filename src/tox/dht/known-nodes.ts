/** The nodes of all our lists together, and which of them serve a purpose. */
import type { Clock } from '../../base/clock.js';
import { compareDistance } from '../crypto/distance.js';
import type { PublicKey } from '../crypto/keys.js';
import type { NodeInfo } from '../packet/node-info.js';
import type { DhtNode } from './routing/dht-node.js';
import type { NodeList } from './routing/node-list.js';
import type { SearchTable } from './search/search-table.js';

// Saved nodes beyond that make the next start no faster.
const MAX_SAVED = 128;

export class KnownNodes {
  readonly #clock: Clock;
  readonly #close: NodeList;
  readonly #searches: SearchTable;
  /** Whether a good node has not answered lately; other nodes are preferred to it. */
  readonly #isSuspect: (key: PublicKey) => boolean;

  constructor(deps: {
    clock: Clock;
    close: NodeList;
    searches: SearchTable;
    isSuspect: (key: PublicKey) => boolean;
  }) {
    this.#clock = deps.clock;
    this.#close = deps.close;
    this.#searches = deps.searches;
    this.#isSuspect = deps.isSuspect;
  }

  /** Returns the good nodes nearest to `target`, each once. @param lan whether nodes of local networks are included */
  closest(target: PublicKey, count: number, { lan }: { readonly lan: boolean }): NodeInfo[] {
    const now = this.#clock.now();
    // Every nodes request is answered from here: one pass, in which most nodes cost a single comparison.
    const best: NodeInfo[] = [];
    for (const list of [this.#close, ...this.#searches.lists]) {
      for (const node of list.nodes()) {
        const { publicKey } = node;
        const last = best[count - 1];
        if (last !== undefined && compareDistance(target, publicKey, last.publicKey) >= 0) continue;
        const at = best.findIndex((other) => compareDistance(target, publicKey, other.publicKey) <= 0);
        if (at >= 0 && best[at]?.publicKey.equals(publicKey)) continue;
        const endpoint = node.goodEndpoint(now, lan);
        if (endpoint === undefined || this.#isSuspect(publicKey)) continue;
        best.splice(at < 0 ? best.length : at, 0, { publicKey, endpoint });
        if (best.length > count) best.pop();
      }
    }
    return best;
  }

  /**
   * Returns the good nodes near to us, once for each good address. Nodes near to friends are left out: an observer of the nodes
   * that we use would learn who our friends are.
   */
  near(): NodeInfo[] {
    const now = this.#clock.now();
    const good = this.#close
      .nodes()
      .flatMap((node) => node.goodEndpoints(now).map((endpoint) => ({ publicKey: node.publicKey, endpoint })));
    const answering = good.filter(({ publicKey }) => !this.#isSuspect(publicKey));
    return answering.length > 0 ? answering : good;
  }

  /** Returns at most 128 nodes for the next start. Those from the random searches come first, because they differ from run to run. */
  toSave(): NodeInfo[] {
    const nodes = [...this.#searches.randomNodes(), ...this.#close.nodes()];
    return goodOf(nodes, this.#clock.now()).slice(0, MAX_SAVED);
  }

  /** Whether a good node near to us is outside of our local networks. */
  get isBeyondLan(): boolean {
    return this.near().some((node) => !node.endpoint.isLan);
  }

  isGood(key: PublicKey): boolean {
    const now = this.#clock.now();
    return this.#close.find(key)?.isGood(now) === true || this.#searches.isKnownGood(key, now);
  }
}

/** Good nodes, each once. */
function goodOf(nodes: readonly DhtNode[], now: number): NodeInfo[] {
  const found = new Map<string, NodeInfo>();
  for (const node of nodes) {
    const info = node.info(now);
    if (info !== undefined) found.set(node.publicKey.hex, info);
  }
  return [...found.values()];
}
