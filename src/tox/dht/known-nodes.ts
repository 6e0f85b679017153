/** The nodes of all our lists together, and which of them serve a purpose. */
import type { Clock } from '../../base/clock.js';
import { compareDistance } from '../crypto/distance.js';
import type { PublicKey } from '../crypto/keys.js';
import type { NodeInfo } from '../packet/node-info.js';
import type { DhtNode } from './routing/dht-node.js';
import type { NodeList } from './routing/node-list.js';
import type { SearchTable } from './search/search-table.js';

// Implementation: saved nodes beyond that make the next start no faster.
const MAX_SAVED = 128;

export class KnownNodes {
  readonly #clock: Clock;
  readonly #close: NodeList;
  readonly #searches: SearchTable;
  /** Whether a good node stays silent of late; others are preferred to it. */
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

  /** Good nodes nearest to `target`, each once. @param lan whether nodes of local networks are of use to who gets them */
  closest(target: PublicKey, count: number, { lan }: { readonly lan: boolean }): NodeInfo[] {
    const now = this.#clock.now();
    // The answer to every nodes request comes from here: one pass, in which most nodes cost a few comparisons.
    const best: NodeInfo[] = [];
    for (const node of this.#all()) {
      const { publicKey } = node;
      const last = best[count - 1];
      if (last !== undefined && compareDistance(target, publicKey, last.publicKey) >= 0) continue;
      const at = best.findIndex((other) => compareDistance(target, publicKey, other.publicKey) <= 0);
      if (at >= 0 && best[at]?.publicKey.equals(publicKey)) continue;
      const endpoint = node.goodEndpoints(now).find((candidate) => lan || !candidate.isLan);
      if (endpoint === undefined || this.#isSuspect(publicKey)) continue;
      best.splice(at < 0 ? best.length : at, 0, { publicKey, endpoint });
      if (best.length > count) best.pop();
    }
    return best;
  }

  /**
   * Good nodes near to us, by each good address of theirs. Nodes near to friends are left out: whoever sees which ones we use
   * would learn about friends.
   */
  near(): NodeInfo[] {
    const now = this.#clock.now();
    const good = this.#close
      .nodes()
      .flatMap((node) => node.goodEndpoints(now).map((endpoint) => ({ publicKey: node.publicKey, endpoint })));
    const sound = good.filter(({ publicKey }) => !this.#isSuspect(publicKey));
    return sound.length > 0 ? sound : good;
  }

  /** What a later run may begin with, at most 128; those from anywhere in front, for they differ from run to run. */
  toSave(): NodeInfo[] {
    const nodes = [...this.#searches.randomNodes(), ...this.#close.nodes()];
    return goodOf(nodes, this.#clock.now()).slice(0, MAX_SAVED);
  }

  /** Whether a good node near to us lives outside of our local networks. */
  get isBeyondLan(): boolean {
    return this.near().some((node) => !node.endpoint.isLan);
  }

  isGood(key: PublicKey): boolean {
    const now = this.#clock.now();
    return this.#close.find(key)?.isGood(now) === true || this.#searches.isKnownGood(key, now);
  }

  *#all(): IterableIterator<DhtNode> {
    yield* this.#close.nodes();
    yield* this.#searches.nodes();
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
