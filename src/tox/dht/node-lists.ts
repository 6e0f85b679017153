/** All lists of nodes: the close list and one for every search. What is learned about a node goes to each of them. */
import { compareDistance } from '../crypto/distance.js';
import type { PublicKey } from '../crypto/keys.js';
import type { NodeInfo } from '../packet/node-info.js';
import type { DhtNode } from './routing/dht-node.js';
import { ListMaintainer } from './routing/list-maintainer.js';
import { NodeList } from './routing/node-list.js';
import { SearchTable, type SearchTableDeps } from './search/search-table.js';

// Saved nodes beyond that make the next start no faster.
const MAX_SAVED = 128;

export interface NodeListsDeps extends Omit<SearchTableDeps, 'closestNodes'> {
  readonly ownKey: PublicKey;
  /** Whether a good node has not answered lately; other nodes are preferred to it. */
  readonly isSuspect: (key: PublicKey) => boolean;
}

export class NodeLists {
  readonly closeList: ListMaintainer;
  readonly searches: SearchTable;
  readonly #deps: NodeListsDeps;

  constructor(deps: NodeListsDeps) {
    this.#deps = deps;
    this.closeList = new ListMaintainer(deps, { list: NodeList.close(deps.ownKey) });
    this.searches = new SearchTable({
      ...deps,
      closestNodes: (target, count) => this.closest(target, count, { lan: true }),
    });
  }

  /**
   * A node has answered, which proves that it is at its address.
   * @param asked what it was asked about; undefined for a ping
   * @returns whether it has become good, and was not in any list
   */
  answered(node: NodeInfo, asked: PublicKey | undefined, now: number): boolean {
    const wasGood = this.isGood(node.publicKey);
    const isNewClose = this.closeList.answered(node, asked, now) === 'new';
    const isNew = this.searches.answered(node, asked, now) || isNewClose;
    return isNew && !wasGood;
  }

  /** A node that has answered names another one, which proves nothing about that one. */
  named(reporter: PublicKey, node: NodeInfo, now: number): void {
    if (!this.#deps.isReachable(node)) return;
    this.closeList.offer(node);
    this.searches.named(reporter, node, now);
  }

  /** Whether a node that sends us a request should be pinged: it would enter the close list, or it has moved. */
  wants(node: NodeInfo, now: number): boolean {
    const { publicKey, endpoint } = node;
    if (this.closeList.list.wants(publicKey, endpoint, now)) return true;
    const isElsewhere = this.closeList.list.find(publicKey)?.isElsewhere(endpoint, now);
    return isElsewhere || this.searches.isElsewhere(node, now);
  }

  /** Whether the node is near to us, and good. */
  isGoodNear(key: PublicKey, now: number): boolean {
    return this.closeList.list.find(key)?.isGood(now) === true;
  }

  /** Whether any node near to us is good. */
  isAnyGoodNear(now: number): boolean {
    return this.closeList.list.nodes().some((node) => node.isGood(now));
  }

  /** Once a second. */
  tick(now: number): void {
    this.closeList.tick(now);
    this.searches.tick(now);
  }

  /** Asks all nodes again. */
  refresh(): void {
    this.closeList.refresh();
    this.searches.refresh();
  }

  close(): void {
    this.closeList.close();
    this.searches.close();
  }

  /** Returns the good nodes nearest to `target`, each once. @param lan whether nodes of local networks are included */
  closest(target: PublicKey, count: number, { lan }: { readonly lan: boolean }): NodeInfo[] {
    const usable = { lan, now: this.#deps.clock.now(), isSuspect: this.#deps.isSuspect };
    return closestOf([this.closeList.list, ...this.searches.lists], target, count, usable);
  }

  /**
   * Returns the good nodes near to us, once for each good address. Nodes near to friends are left out: an observer of the nodes
   * that we use would learn who our friends are.
   */
  near(): NodeInfo[] {
    const now = this.#deps.clock.now();
    const good = this.closeList.list
      .nodes()
      .flatMap((node) => node.goodEndpoints(now).map((endpoint) => ({ publicKey: node.publicKey, endpoint })));
    const answering = good.filter(({ publicKey }) => !this.#deps.isSuspect(publicKey));
    return answering.length > 0 ? answering : good;
  }

  /** Returns at most 128 nodes for the next start. Those from the random searches come first, because they differ from run to run. */
  toSave(): NodeInfo[] {
    const nodes = [...this.searches.randomNodes(), ...this.closeList.list.nodes()];
    return goodOf(nodes, this.#deps.clock.now()).slice(0, MAX_SAVED);
  }

  /** Whether a good node near to us is outside of our local networks. */
  get isBeyondLan(): boolean {
    return this.near().some((node) => !node.endpoint.isLan);
  }

  isGood(key: PublicKey): boolean {
    const now = this.#deps.clock.now();
    return this.closeList.list.find(key)?.isGood(now) === true || this.searches.isKnownGood(key, now);
  }
}

interface Usable {
  /** Whether nodes of local networks are. */
  readonly lan: boolean;
  readonly now: number;
  readonly isSuspect: (key: PublicKey) => boolean;
}

type Nodes = Pick<NodeList, 'nodes' | 'heads'>;

/**
 * Returns the usable nodes of these lists that are nearest to `target`, each once. Every nodes request is answered from here, so
 * most nodes cost a comparison of two numbers: only those that are among the nearest by the heads of their keys are looked at.
 */
export function closestOf(lists: readonly Nodes[], target: PublicKey, count: number, usable: Usable): NodeInfo[] {
  const distance = headDistance(lists, target, count);
  const nearest = closestWithin(distance, lists, target, count, usable);
  return nearest.length === count ? nearest : closestWithin(Number.POSITIVE_INFINITY, lists, target, count, usable);
}

/** Returns the distance by the heads of their keys of the `count`-th nearest node; Infinity if there are fewer. */
function headDistance(lists: readonly Nodes[], target: PublicKey, count: number): number {
  const nearest: number[] = [];
  for (const list of lists) {
    for (const head of list.heads()) {
      const distance = (head ^ target.head) >>> 0;
      let at = nearest.length;
      while (at > 0 && (nearest[at - 1] as number) > distance) at -= 1;
      if (at >= count || nearest[at - 1] === distance) continue;
      nearest.splice(at, 0, distance);
      if (nearest.length > count) nearest.pop();
    }
  }
  return nearest[count - 1] ?? Number.POSITIVE_INFINITY;
}

/** Looks at no node that is farther by the head of its key than `distance`. */
function closestWithin(
  distance: number,
  lists: readonly Nodes[],
  target: PublicKey,
  count: number,
  usable: Usable,
): NodeInfo[] {
  const best: NodeInfo[] = [];
  for (const list of lists) {
    const nodes = list.nodes();
    const heads = list.heads();
    for (let index = 0; index < heads.length; index += 1) {
      if (((heads[index] as number) ^ target.head) >>> 0 > distance) continue;
      const node = nodes[index] as DhtNode;
      const { publicKey } = node;
      const at = best.findIndex((other) => compareDistance(target, publicKey, other.publicKey) <= 0);
      if (at >= 0 ? best[at]?.publicKey.equals(publicKey) : best.length === count) continue;
      const endpoint = node.goodEndpoint(usable.now, usable.lan);
      if (endpoint === undefined || usable.isSuspect(publicKey)) continue;
      best.splice(at < 0 ? best.length : at, 0, { publicKey, endpoint });
      if (best.length > count) best.pop();
    }
  }
  return best;
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
