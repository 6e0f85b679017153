/** All searches: those of friends, and two for random keys, which give us nodes from anywhere in the network. */
import type { Endpoint } from '../../../base/endpoint.js';
import type { Random } from '../../../base/random.js';
import { generateKeyPair } from '../../crypto/key-pair.js';
import type { PublicKey } from '../../crypto/keys.js';
import { decodeNatPing } from '../../packet/dht-request.js';
import type { NodeInfo } from '../../packet/node-info.js';
import type { DhtNode } from '../routing/dht-node.js';
import type { NodeList } from '../routing/node-list.js';
import { type DhtSearch, type DhtSearchHandlers, Search, type SearchDeps } from './search.js';

// Specification: DHT_FAKE_FRIEND_NUMBER.
const RANDOM_SEARCHES = 2;
/** How many nodes a search begins with. */
const SEEDS = 4;

export interface SearchTableDeps extends SearchDeps {
  readonly random: Random;
  /** Returns good nodes near to a key, with which a search begins. */
  readonly closestNodes: (target: PublicKey, count: number) => readonly NodeInfo[];
  /** False for a node that must not be asked: ourselves, or an address that cannot be reached. */
  readonly isReachable: (node: NodeInfo) => boolean;
}

export class SearchTable {
  readonly #deps: SearchTableDeps;
  /** The searches by the hex of their keys. */
  readonly #searches = new Map<string, Search>();
  readonly #random: readonly Search[];

  constructor(deps: SearchTableDeps) {
    this.#deps = deps;
    this.#random = Array.from({ length: RANDOM_SEARCHES }, () => {
      return this.#start(generateKeyPair(deps.random).publicKey, true);
    });
  }

  get(key: PublicKey): Search | undefined {
    return this.#searches.get(key.hex);
  }

  /** Joins the search for this key, or starts it. */
  open(publicKey: PublicKey, handlers: DhtSearchHandlers): DhtSearch {
    const known = this.#searches.get(publicKey.hex);
    const search = known ?? this.#start(publicKey, false);
    if (known === undefined) this.#seed(search);
    const { clock, isReachable } = this.#deps;
    // An object of its own, for one owner may search twice with the same handlers.
    const owner: DhtSearchHandlers = { ...handlers };
    search.owners.add(owner);
    return {
      publicKey,
      soughtSince: clock.now(),
      get seenSince(): number | undefined {
        return search.seenSince(clock.now());
      },
      get answeredAt(): number | undefined {
        return search.answeredAt(clock.now());
      },
      get endpoints(): readonly Endpoint[] {
        return search.endpoints(clock.now());
      },
      learn: (node) => {
        if (search.owners.has(owner) && isReachable(node)) search.maintainer.askNow(node);
      },
      setDirect: (isDirect) => {
        if (search.owners.has(owner)) search.setDirect(isDirect);
      },
      close: () => {
        if (!search.owners.delete(owner) || search.owners.size > 0) return;
        search.close();
        this.#searches.delete(publicKey.hex);
      },
    };
  }

  /** A node has answered. @returns whether it is new to any search */
  answered(node: NodeInfo, asked: PublicKey | undefined, now: number): boolean {
    let isNew = false;
    // A copy: a handler of an endpoint may open or close searches.
    for (const search of [...this.#searches.values()]) if (search.answered(node, asked, now) === 'new') isNew = true;
    return isNew;
  }

  /** A node that has answered names another one. */
  named(reporter: PublicKey, node: NodeInfo, now: number): void {
    for (const search of this.#searches.values()) search.named(reporter, node, now);
  }

  /** A NAT ping has arrived (spec: "NAT ping"); that of a node that we do not search for is ignored. */
  handleNatPing(sender: PublicKey, data: Buffer): void {
    const ping = decodeNatPing(data);
    if (ping !== undefined) this.get(sender)?.handleNatPing(ping, this.#deps.clock.now());
  }

  /** Once a second. */
  tick(now: number): void {
    for (const search of this.#searches.values()) {
      search.tick(now);
      if (!search.maintainer.list.nodes().some((node) => node.isGood(now))) this.#seed(search);
    }
  }

  /** Asks all nodes of all searches again. */
  refresh(): void {
    for (const search of this.#searches.values()) search.maintainer.refresh();
  }

  get lists(): readonly NodeList[] {
    return Array.from(this.#searches.values(), ({ maintainer }) => maintainer.list);
  }

  randomNodes(): readonly DhtNode[] {
    return this.#random.flatMap((search) => search.maintainer.list.nodes());
  }

  /** Whether the node has a good address other than this one. */
  isElsewhere({ publicKey, endpoint }: NodeInfo, now: number): boolean {
    for (const { maintainer } of this.#searches.values())
      if (maintainer.list.find(publicKey)?.isElsewhere(endpoint, now)) return true;
    return false;
  }

  isKnownGood(key: PublicKey, now: number): boolean {
    for (const search of this.#searches.values()) if (search.maintainer.list.find(key)?.isGood(now)) return true;
    return false;
  }

  close(): void {
    for (const search of this.#searches.values()) search.close();
    this.#searches.clear();
  }

  #start(publicKey: PublicKey, isRandom: boolean): Search {
    const search = new Search(this.#deps, { publicKey, isRandom });
    this.#searches.set(publicKey.hex, search);
    return search;
  }

  #seed(search: Search): void {
    for (const node of this.#deps.closestNodes(search.publicKey, SEEDS)) search.maintainer.offer(node);
  }
}
