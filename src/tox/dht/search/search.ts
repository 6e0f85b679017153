/** The search for one key: the nodes near to it, the addresses that they report, and hole punching. */
import type { Endpoint } from '../../../base/endpoint.js';
import { Repeater } from '../../../base/repeater.js';
import type { PublicKey } from '../../crypto/keys.js';
import type { NatPing } from '../../packet/dht-request.js';
import type { NodeInfo } from '../../packet/node-info.js';
import { ListMaintainer, type ListMaintainerDeps } from '../routing/list-maintainer.js';
import { type InsertResult, NodeList } from '../routing/node-list.js';
import { AddressReports } from './address-reports.js';
import { HolePuncher } from './hole-puncher.js';

/** What the owner of a search gets. Two searches for the same key share their work. */
export interface DhtSearch {
  readonly publicKey: PublicKey;
  /** The node's good addresses, at most one of each family, the one that answered last in front. */
  readonly endpoints: readonly Endpoint[];
  /** When this owner started the search, ms of the clock. */
  readonly soughtSince: number;
  /** Since when the node has an address, its own or a reported one; undefined while it has none. */
  readonly seenSince: number | undefined;
  /** When the node answered last; undefined when no address of it is good. */
  readonly answeredAt: number | undefined;
  /** Asks a node at once: one near to the key, or the node searched for itself. */
  learn(node: NodeInfo): void;
  /** Notes whether packets of the node arrive directly. When they stop, its address or ours may have changed. */
  setDirect(isDirect: boolean): void;
  close(): void;
}

export interface DhtSearchHandlers {
  /** The node searched for has answered from this address: for the first time, again, or from a new address. */
  onEndpoint?(endpoint: Endpoint): void;
  /** The node has an address, its own or a reported one, and had none before. */
  onSeen?(): void;
}

/** ms between rounds of asking all nodes of the list for a node whose packets do not arrive any more. */
const DOUBT_ROUNDS = [300, 500, 1000, 1000, 1000, 1000, 2000, 2000, 4000, 4000, 8000, 15_000, 30_000];
/** ms for which we search again for a node that asks others for us, although its address seems good. */
const SUSPICION = 5000;
/**
 * ms between pings that answer requests from other addresses. Our ping is a request as well: two nodes that
 * keep each other's public address while they talk in a local network would answer pings with pings, without end.
 */
const CALL_BACK_INTERVAL = 500;

export interface SearchDeps extends ListMaintainerDeps {
  /** Sends requests to the nodes near to us, so that they learn our present address. */
  readonly showOurselves: () => void;
  readonly ping: (node: NodeInfo) => void;
  /** Sends a NAT ping to the node searched for: a request through all nodes that know its address, a response through one. */
  readonly sendNatPing: (to: PublicKey, ping: NatPing) => void;
}

export class Search {
  readonly publicKey: PublicKey;
  readonly maintainer: ListMaintainer;
  /** The owners of this search. */
  readonly owners = new Set<DhtSearchHandlers>();
  readonly #deps: SearchDeps;
  readonly #reports = new AddressReports();
  readonly #puncher: HolePuncher;
  readonly #inquiries: Repeater;
  /** Answers of the node before this time do not count, because its packets stopped arriving then. ms of the clock. */
  #doubtedAt = Number.NEGATIVE_INFINITY;
  #suspectedAt = Number.NEGATIVE_INFINITY;
  #calledBackAt = Number.NEGATIVE_INFINITY;
  #seenSince = 0;

  /** @param options.isRandom whether the key is random and belongs to no node */
  constructor(deps: SearchDeps, options: { readonly publicKey: PublicKey; readonly isRandom: boolean }) {
    this.#deps = deps;
    this.publicKey = options.publicKey;
    this.maintainer = new ListMaintainer(deps, {
      list: NodeList.search(options.publicKey),
      isSettled: (now) => options.isRandom || this.#isReached(now),
    });
    this.#puncher = new HolePuncher({
      random: deps.random,
      requestNatPing: (id) => deps.sendNatPing(this.publicKey, { type: 'request', id }),
      ping: (endpoint) => deps.ping({ publicKey: this.publicKey, endpoint }),
    });
    this.#inquiries = new Repeater(deps.clock, DOUBT_ROUNDS, () => this.#inquire());
  }

  endpoints(now: number): readonly Endpoint[] {
    return this.maintainer.list.find(this.publicKey)?.goodEndpoints(now) ?? [];
  }

  /** Returns since when the node has an address, ms; undefined while it has none. */
  seenSince(now: number): number | undefined {
    return this.#isSeen(now) ? this.#seenSince : undefined;
  }

  /** When the node itself answered last, ms; undefined when no address of it is good. */
  answeredAt(now: number): number | undefined {
    const good = this.maintainer.list
      .find(this.publicKey)
      ?.associations.filter((association) => association.isGood(now));
    return good === undefined || good.length === 0 ? undefined : Math.max(...good.map(({ answeredAt }) => answeredAt));
  }

  #isSeen(now: number): boolean {
    return this.endpoints(now).length > 0 || this.#reports.endpoints(now).length > 0;
  }

  /** A node has answered. */
  answered(node: NodeInfo, asked: PublicKey | undefined, now: number): InsertResult {
    if (!node.publicKey.equals(this.publicKey)) return this.maintainer.answered(node, asked, now);
    const isNew = !this.#isSeen(now);
    const result = this.maintainer.answered(node, asked, now);
    if (isNew) this.#onSeen(now);
    for (const owner of [...this.owners]) owner.onEndpoint?.(node.endpoint);
    return result;
  }

  #onSeen(now: number): void {
    this.#seenSince = now;
    for (const owner of [...this.owners]) owner.onSeen?.();
  }

  /** The node itself sends us a request from `source`. @returns whether that address was not known */
  handleRequest(source: Endpoint, now: number): boolean {
    if (this.endpoints(now).some((endpoint) => endpoint.equals(source))) return false;
    if (now - this.#calledBackAt >= CALL_BACK_INTERVAL) {
      this.#calledBackAt = now;
      this.#deps.ping({ publicKey: this.publicKey, endpoint: source });
    }
    return true;
  }

  /** A node that has answered names another one. */
  named(reporter: PublicKey, node: NodeInfo, now: number): void {
    this.maintainer.offer(node);
    if (!node.publicKey.equals(this.publicKey) || this.maintainer.list.find(reporter) === undefined) return;
    const isNew = !this.#isSeen(now);
    this.#reports.add(reporter, node.endpoint, now);
    if (isNew) this.#onSeen(now);
    // Asking there opens our NAT for it, whether or not the question arrives.
    if (this.#inquiries.isRunning || now - this.#suspectedAt < SUSPICION) this.maintainer.askNow(node);
    this.#puncher.drive(this.#puncherReports(now), now);
  }

  /** Returns where to send DHT requests for the key: its own address if it answers, else all nodes that know an address of it. */
  ways(now: number): readonly Endpoint[] {
    const direct = this.endpoints(now)[0];
    if (direct !== undefined && this.#isReached(now)) return [direct];
    return this.#reports
      .reporters(now)
      .map((reporter) => this.maintainer.list.find(reporter)?.goodEndpoint(now))
      .filter((endpoint) => endpoint !== undefined);
  }

  /** See `DhtSearch.setDirect`. */
  setDirect(isDirect: boolean): void {
    if (isDirect) {
      this.#inquiries.stop();
      this.#doubtedAt = Number.NEGATIVE_INFINITY;
    } else if (!this.#inquiries.isRunning) {
      this.#doubtedAt = this.#deps.clock.now();
      this.#inquiries.start();
      this.#inquire();
    }
  }

  #inquire(): void {
    this.#deps.showOurselves();
    const now = this.#deps.clock.now();
    this.#askAll(now);
    this.#puncher.drive(this.#puncherReports(now), now);
  }

  #askAll(now: number): void {
    for (const node of this.maintainer.list.nodes()) {
      const info = node.info(now);
      if (info !== undefined) this.#deps.ask(info, this.publicKey);
    }
  }

  /** Whether the node answers at a known address, as far as we can tell. */
  #isReached(now: number): boolean {
    const node = this.maintainer.list.find(this.publicKey);
    if (node === undefined) return false;
    return node.associations.some((association) => association.isGood(now) && association.answeredAt > this.#doubtedAt);
  }

  handleNatPing({ type, id }: NatPing, now: number): void {
    const reports = this.#puncherReports(now);
    if (type === 'response') {
      this.#puncher.answered(id, reports, now);
    } else {
      this.#deps.sendNatPing(this.publicKey, { type: 'response', id });
      this.#puncher.requested(reports, now);
      this.#suspect(now);
    }
  }

  /** A node that asks others for us does not reach us: it or we may have moved. */
  #suspect(now: number): void {
    if (!this.#isReached(now) || now - this.#suspectedAt < SUSPICION / 2) return;
    this.#suspectedAt = now;
    this.#askAll(now);
  }

  tick(now: number): void {
    this.maintainer.tick(now);
    this.#puncher.drive(this.#puncherReports(now), now);
  }

  close(): void {
    this.#inquiries.stop();
    this.maintainer.close();
  }

  /** Returns the reports of the larger family, IPv6 on a tie (c-toxcore friend_iplist); none while the node is reached. */
  #puncherReports(now: number): readonly Endpoint[] {
    if (this.#isReached(now)) return [];
    const reports = this.#reports.endpoints(now);
    const ipv6 = reports.filter((endpoint) => endpoint.family === 6);
    return ipv6.length * 2 >= reports.length ? ipv6 : reports.filter((endpoint) => endpoint.family === 4);
  }
}
