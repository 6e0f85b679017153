/**
 * The distributed hash table (spec: "DHT"): finds the address of a node by its DHT key, and does its share for others.
 * This file joins the parts: packets go from a service to all lists, and from the lists back to a service. The constructor's
 * callbacks refer to parts that are made after them; none is called before the constructor has returned.
 */
import type { Clock, Timer } from '../../base/clock.js';
import type { Endpoint } from '../../base/endpoint.js';
import { Listeners } from '../../base/listeners.js';
import type { Logger } from '../../base/logger.js';
import type { Random } from '../../base/random.js';
import type { KeyPair } from '../crypto/key-pair.js';
import type { PublicKey } from '../crypto/keys.js';
import type { SharedKeyCache } from '../crypto/shared-key-cache.js';
import type { DatagramHandler } from '../network/datagram-socket.js';
import { type BootstrapInfo, encodeBootstrapInfo, isBootstrapInfoRequest } from '../packet/dht.js';
import { encodeNatPing, type NatPing } from '../packet/dht-request.js';
import { DhtRequestKind, UdpKind } from '../packet/kind.js';
import type { NodeInfo } from '../packet/node-info.js';
import { Bootstrap } from './bootstrap/bootstrap.js';
import { LanDiscovery, type LanDiscoveryDeps } from './bootstrap/lan-discovery.js';
import { PingQueue } from './bootstrap/ping-queue.js';
import { NodeLists } from './node-lists.js';
import { NodeLiveness } from './node-liveness.js';
import { DhtBox } from './rpc/dht-box.js';
import { DhtRequests } from './rpc/dht-requests.js';
import { type NodesHandlers, NodesService } from './rpc/nodes-service.js';
import { PingService } from './rpc/ping-service.js';
import { RequestLimiter } from './rpc/request-limiter.js';
import type { UdpHealth } from './rpc/udp-health.js';
import type { ReportedEndpoint } from './search/address-reports.js';
import { ObservedAddress } from './search/observed-address.js';
import type { DhtSearch, DhtSearchHandlers } from './search/search.js';

// Specification: do_dht runs once a second.
const TICK_MS = 1000;

export interface DhtDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly send: (packet: Buffer, to: Endpoint) => void;
  readonly log: Logger;
  /** Our DHT key, fresh at every start of a client. */
  readonly keyPair: KeyPair;
  /** The cache of that key. */
  readonly sharedKeys: SharedKeyCache;
  /** For LAN discovery; without it only the general broadcast address is used. */
  readonly interfaces?: LanDiscoveryDeps['interfaces'];
}

export interface DhtOptions {
  readonly lanDiscovery: boolean;
  /** Whether the socket reaches IPv6; without it nodes with such addresses are ignored. */
  readonly ipv6: boolean;
  /** Answers bootstrap info requests, as public bootstrap nodes do (c-toxcore other/bootstrap_node_packets.c). */
  readonly bootstrapInfo?: BootstrapInfo;
}

export class Dht {
  /** DHT requests to us, and ours to nodes that we search for. */
  readonly requests: DhtRequests;
  /** Whether nodes near to us still answer. */
  readonly liveness: NodeLiveness;
  readonly bootstrap: Bootstrap;
  readonly #deps: DhtDeps;
  readonly #options: DhtOptions;
  readonly #ping: PingService;
  readonly #nodes: NodesService;
  readonly #limiter: RequestLimiter;
  readonly #pingQueue: PingQueue;
  readonly #lanDiscovery: LanDiscovery;
  readonly #lists: NodeLists;
  readonly #observedAddress: ObservedAddress;
  readonly #connectedChanges = new Listeners<[isConnected: boolean]>();
  #isConnected = false;
  readonly #newNodes = new Listeners<[node: NodeInfo]>();
  readonly #suspects = new Listeners<[node: NodeInfo]>();
  #timer: Timer | undefined;

  constructor(deps: DhtDeps, options: DhtOptions) {
    const { clock, random } = deps;
    const ownKey = deps.keyPair.publicKey;
    this.#options = options;
    const canSendTo = ({ family }: Endpoint): boolean => family === 4 || options.ipv6;
    const isReachable = ({ publicKey, endpoint }: NodeInfo): boolean =>
      !publicKey.equals(ownKey) && endpoint.isUnicast && canSendTo(endpoint);
    const send: DhtDeps['send'] = (packet, to) => {
      if (canSendTo(to)) deps.send(packet, to);
    };
    this.#deps = { ...deps, send };
    const box = new DhtBox({ clock, random, ownKey, sharedKeys: deps.sharedKeys });
    const common = { clock, random, box, send };
    const onRequest = this.#onRequest;
    this.#ping = new PingService({ ...common, onRequest, onResponse: (node) => this.#onAnswer(node, undefined) });
    const ping = (node: NodeInfo): void => this.#ping.ping(node);
    const closestNodes: NodesHandlers['closestNodes'] = (...query) => this.#lists.closest(...query);
    this.#nodes = new NodesService({ ...common, handlers: { closestNodes, onRequest, onResponse: this.#onNodes } });
    this.#limiter = new RequestLimiter({
      clock,
      isReachable,
      request: (node, target) => this.#nodes.ask(node, target),
      onAsked: (node) => this.liveness.asked(node),
      isGood: (key) => this.#lists.isGood(key) && !this.liveness.isSuspect(key),
      isSought: (key) => this.#lists.searches.get(key) !== undefined,
    });
    const askForUs = (node: NodeInfo): void => this.#limiter.ask(node, ownKey);
    this.#observedAddress = new ObservedAddress({
      clock,
      nearest: (count) => this.#lists.closest(ownKey, count, { lan: true }),
      ask: askForUs,
    });
    this.#lists = new NodeLists({
      clock,
      random,
      ownKey,
      ping,
      ask: this.#limiter.ask,
      sendNatPing: this.#sendNatPing,
      showOurselves: () => this.#observedAddress.show(),
      isReachable,
      isSuspect: (key) => this.liveness.isSuspect(key),
    });
    const { closeList, searches } = this.#lists;
    this.requests = new DhtRequests({
      random,
      ownKey,
      box,
      send,
      findEndpoint: (key) => closeList.list.find(key)?.goodEndpoint(clock.now()),
      ways: (key) => searches.get(key)?.ways(clock.now()) ?? [],
    });
    this.requests.on(DhtRequestKind.NatPing, (sender, data) => searches.handleNatPing(sender, data));
    this.#pingQueue = new PingQueue({ ownKey, ping, isWanted: this.#isWanted }, clock.now());
    this.#lanDiscovery = new LanDiscovery(
      { clock, ownKey, send, interfaces: deps.interfaces ?? (() => []), onNode: (node) => closeList.askNow(node) },
      options,
    );
    this.bootstrap = new Bootstrap({
      clock,
      random,
      ownKey,
      ask: askForUs,
      isConnected: () => this.isConnected,
      isBeyondLan: () => this.#lists.isBeyondLan,
    });
    const onSuspect = (node: NodeInfo): void => this.#suspects.tell(node);
    this.liveness = new NodeLiveness({ clock, random, close: closeList.list, ping, onSuspect });
  }

  /** First byte and handler of every datagram that is for the DHT. */
  routes(): readonly (readonly [kind: number, handler: DatagramHandler])[] {
    const routes: [number, DatagramHandler][] = [
      [UdpKind.PingRequest, this.#ping.handleRequest],
      [UdpKind.PingResponse, this.#ping.handleResponse],
      [UdpKind.NodesRequest, this.#nodes.handleRequest],
      [UdpKind.NodesResponse, this.#nodes.handleResponse],
      [UdpKind.DhtRequest, this.requests.handle],
    ];
    const { lanDiscovery, bootstrapInfo } = this.#options;
    if (lanDiscovery) routes.push([UdpKind.LanDiscovery, this.#lanDiscovery.handle]);
    if (bootstrapInfo !== undefined) {
      const answer = encodeBootstrapInfo(bootstrapInfo);
      const handle: DatagramHandler = (packet, source) => {
        if (isBootstrapInfoRequest(packet)) this.#deps.send(answer, source);
      };
      routes.push([UdpKind.BootstrapInfo, handle]);
    }
    return routes;
  }

  start(): void {
    if (this.#timer !== undefined) return;
    this.#timer = this.#deps.clock.every(TICK_MS, () => this.#tick());
    if (this.#options.lanDiscovery) this.#lanDiscovery.start();
    this.bootstrap.start();
  }

  /** Stops permanently. */
  stop(): void {
    this.#timer?.cancel();
    this.#lanDiscovery.stop();
    this.bootstrap.stop();
    this.liveness.stop();
    this.#lists.close();
  }

  #tick(): void {
    const now = this.#deps.clock.now();
    this.#lists.tick(now);
    this.#pingQueue.tick(now);
    this.liveness.tick(now);
    this.bootstrap.tick(now);
    this.#setConnected(!this.liveness.isSilent && this.#lists.isAnyGoodNear(now));
  }

  /** Whether a node near to us answered in the last 122 s, and our line is not silent now. */
  get isConnected(): boolean {
    return this.#isConnected;
  }

  /** Calls back whenever `isConnected` changes. @returns removes the listener */
  onConnectedChange(listener: (isConnected: boolean) => void): () => void {
    return this.#connectedChanges.add(listener);
  }

  /** Calls back when a node has become good that was not. @returns removes the listener */
  onNode(listener: (node: NodeInfo) => void): () => void {
    return this.#newNodes.add(listener);
  }

  /** Calls back when a good node does not answer any more. @returns removes the listener */
  onSuspect(listener: (node: NodeInfo) => void): () => void {
    return this.#suspects.add(listener);
  }

  /** Asks all nodes again at once: after a sleep or a change of network what is known may be wrong. */
  refresh(): void {
    this.liveness.stop();
    this.#lists.refresh();
    this.bootstrap.refresh();
    if (this.#timer !== undefined) this.#tick();
  }

  /** All nodes that we know. */
  get known(): Pick<NodeLists, 'closest' | 'near' | 'toSave'> {
    return this.#lists;
  }

  /** Looks for the address of a node by its DHT key until closed. */
  search(publicKey: PublicKey, handlers: DhtSearchHandlers = {}): DhtSearch {
    return this.#lists.searches.open(publicKey, handlers);
  }

  /** Our own addresses as other nodes see them, the one that most nodes report in front. */
  get reportedEndpoints(): readonly ReportedEndpoint[] {
    return this.#observedAddress.reports;
  }

  /** Whether UDP works, by recent requests and answers. */
  get udpHealth(): UdpHealth {
    return this.#limiter.udpHealth;
  }

  #setConnected(isConnected: boolean): void {
    if (isConnected === this.#isConnected) return;
    this.#isConnected = isConnected;
    this.#deps.log.debug(isConnected ? 'connected to the DHT' : 'disconnected from the DHT: no node answers');
    if (!isConnected) this.bootstrap.noteLost();
    this.#connectedChanges.tell(isConnected);
  }

  /** A node has proven that it lives at its address. */
  #onAnswer(node: NodeInfo, asked: PublicKey | undefined): void {
    const now = this.#deps.clock.now();
    this.#limiter.answered(node);
    this.bootstrap.answered(node);
    this.liveness.answered(node);
    const isNew = this.#lists.answered(node, asked, now);
    if (this.#lists.isGoodNear(node.publicKey, now)) this.#setConnected(true);
    if (isNew) this.#newNodes.tell(node);
  }

  readonly #onNodes = (node: NodeInfo, asked: PublicKey, listed: readonly NodeInfo[]): void => {
    this.#onAnswer(node, asked);
    const now = this.#deps.clock.now();
    for (const other of listed) {
      if (other.publicKey.equals(this.#deps.keyPair.publicKey))
        this.#observedAddress.reported(node.publicKey, other.endpoint);
      else if (node.endpoint.maySendTo(other.endpoint)) this.#lists.named(node.publicKey, other, now);
    }
  };

  /** A request takes all routes, a response one of them (spec: "NAT ping"). */
  readonly #sendNatPing = (to: PublicKey, ping: NatPing): void => {
    const isSingle = ping.type === 'response';
    this.requests.send(to, DhtRequestKind.NatPing, encodeNatPing(ping), { isSingle });
  };

  readonly #isWanted = (node: NodeInfo): boolean => this.#lists.wants(node, this.#deps.clock.now());

  readonly #onRequest = (node: NodeInfo): void => {
    const now = this.#deps.clock.now();
    const isMissing = this.#lists.searches.get(node.publicKey)?.handleRequest(node.endpoint, now);
    if (isMissing !== true) this.#pingQueue.add(node, now);
  };
}
