/** All lists of nodes: the close list and one for every search. What is learned about a node goes to each of them. */
import type { PublicKey } from '../crypto/keys.js';
import type { NodeInfo } from '../packet/node-info.js';
import { KnownNodes } from './known-nodes.js';
import { ListMaintainer } from './routing/list-maintainer.js';
import { NodeList } from './routing/node-list.js';
import { SearchTable, type SearchTableDeps } from './search/search-table.js';

export interface NodeListsDeps extends Omit<SearchTableDeps, 'closestNodes'> {
  /** Whether a good node has not answered lately. */
  readonly isSuspect: (key: PublicKey) => boolean;
}

export class NodeLists {
  /** The close list. */
  readonly near: ListMaintainer;
  readonly searches: SearchTable;
  /** The nodes of all lists. */
  readonly known: KnownNodes;
  readonly #isReachable: (node: NodeInfo) => boolean;

  constructor(deps: NodeListsDeps, options: { readonly ownKey: PublicKey }) {
    const { clock, isSuspect } = deps;
    this.#isReachable = deps.isReachable;
    this.near = new ListMaintainer(deps, { list: NodeList.close(options.ownKey) });
    this.searches = new SearchTable({
      ...deps,
      closestNodes: (target, count) => this.known.closest(target, count, { lan: true }),
    });
    this.known = new KnownNodes({ clock, close: this.near.list, searches: this.searches, isSuspect });
  }

  /**
   * A node has answered, which proves that it is at its address.
   * @param asked what it was asked about; undefined for a ping
   * @returns whether it has become good, and was not in any list
   */
  answered(node: NodeInfo, asked: PublicKey | undefined, now: number): boolean {
    const wasGood = this.known.isGood(node.publicKey);
    const isNewNear = this.near.answered(node, asked, now) === 'new';
    const isNew = this.searches.answered(node, asked, now) || isNewNear;
    return isNew && !wasGood;
  }

  /** A node that has answered names another one, which proves nothing about that one. */
  named(reporter: PublicKey, node: NodeInfo, now: number): void {
    if (!this.#isReachable(node)) return;
    this.near.offer(node);
    this.searches.named(reporter, node, now);
  }

  /** Whether a node that sends us a request should be pinged: it would enter the close list, or it has moved. */
  wants(node: NodeInfo, now: number): boolean {
    const { publicKey, endpoint } = node;
    if (this.near.list.wants(publicKey, endpoint, now)) return true;
    const isElsewhere = this.near.list.find(publicKey)?.isElsewhere(endpoint, now);
    return isElsewhere || this.searches.isElsewhere(node, now);
  }

  /** Whether the node is near to us, and good. */
  isGoodNear(key: PublicKey, now: number): boolean {
    return this.near.list.find(key)?.isGood(now) === true;
  }

  /** Whether any node near to us is good. */
  isAnyGoodNear(now: number): boolean {
    return this.near.list.nodes().some((node) => node.isGood(now));
  }

  /** Once a second. */
  tick(now: number): void {
    this.near.tick(now);
    this.searches.tick(now);
  }

  /** Asks all nodes again. */
  refresh(): void {
    this.near.refresh();
    this.searches.refresh();
  }

  close(): void {
    this.near.close();
    this.searches.close();
  }
}
