/**
 * The distributed hash table (spec: "DHT"): finds the address of a node by its DHT key, and does its share for others.
 * This file joins the parts; what comes in goes from a service to all the lists, and from the lists back to a service.
 */
import type { Clock, Timer } from '../../base/clock.js';
import type { Endpoint } from '../../base/endpoint.js';
import type { Logger } from '../../base/logger.js';
import type { Random } from '../../base/random.js';
import { TokenBucket } from '../../base/token-bucket.js';
import type { KeyPair, PublicKey } from '../crypto/keys.js';
import type { SharedKeyCache } from '../crypto/shared-key-cache.js';
import type { DatagramHandler } from '../network/datagram-socket.js';
import type { BootstrapInfo } from '../packet/bootstrap-info.js';
import { DhtRequestKind, UdpKind } from '../packet/kind.js';
import type { NodeInfo } from '../packet/node-info.js';
import { AddressReports, type ReportedEndpoint } from './address-reports.js';
import { Bootstrapper } from './bootstrapper.js';
import { CloseList } from './close-list.js';
import { Connectivity } from './connectivity.js';
import { Envelope } from './envelope.js';
import { infoService } from './info-service.js';
import { KnownNodes } from './known-nodes.js';
import { LanDiscovery, type LanDiscoveryDeps } from './lan-discovery.js';
import { ListKeeper } from './list-keeper.js';
import { NatPings } from './nat-pings.js';
import { Newcomers } from './newcomers.js';
import { type NodesHandlers, NodesService } from './nodes-service.js';
import { PingService } from './ping-service.js';
import { Pulse } from './pulse.js';
import { type DhtRequestHandler, RequestForwarder } from './request-forwarder.js';
import { SavedNodes } from './saved-nodes.js';
import type { DhtSearch, DhtSearchHandlers } from './search.js';
import { SearchTable } from './search-table.js';
import { type UdpHealth, UdpHealthRecord } from './udp-health.js';

// Specification: do_dht runs once a second.
const TICK_MS = 1000;
// Implementation: answers make us ask the nodes that they name. However many searches run, no liar shall make us flood a
// third party; two hundred searches at rest ask 40 times a second, and 4000 times when they begin.
const ASKED_PER_SECOND = 500;
const ASKED_AT_ONCE = 2000;
// Implementation: who asks for us asks those nearest to us. They are shown where we are when there is doubt about it, for all
// friends together no more often than that.
const SHOWN_TO = 8;
const SHOW_INTERVAL_MS = 250;

export interface DhtDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly send: (packet: Buffer, to: Endpoint) => void;
  readonly log: Logger;
  /** Our DHT key, fresh at every start of a client. */
  readonly keyPair: KeyPair;
  /** The cache of that key. */
  readonly sharedKeys: SharedKeyCache;
  /** For LAN discovery; without it only the general broadcast address is called. */
  readonly interfaces?: LanDiscoveryDeps['interfaces'];
}

export interface DhtOptions {
  readonly lanDiscovery: boolean;
  /** Whether the socket reaches IPv6; without it nodes with such addresses are ignored. */
  readonly ipv6: boolean;
  /** Makes us answer bootstrap info requests, as public bootstrap nodes do. */
  readonly bootstrapInfo?: BootstrapInfo;
}

export class Dht {
  readonly #clock: Clock;
  readonly #ownKey: PublicKey;
  readonly #options: DhtOptions;
  readonly #sendPacket: (packet: Buffer, to: Endpoint) => void;
  readonly #envelope: Envelope;
  readonly #ping: PingService;
  readonly #nodes: NodesService;
  readonly #requests: RequestForwarder;
  readonly #newcomers: Newcomers;
  readonly #lanDiscovery: LanDiscovery;
  readonly #bootstrapper: Bootstrapper;
  readonly #saved: SavedNodes;
  readonly #close: ListKeeper;
  readonly #searches: SearchTable;
  readonly #known: KnownNodes;
  readonly #pulse: Pulse;
  readonly #connectivity = new Connectivity();
  readonly #ownReports = new AddressReports();
  readonly #udpHealth = new UdpHealthRecord();
  readonly #askLimit: TokenBucket;
  readonly #nodeListeners = new Set<(node: NodeInfo) => void>();
  readonly #doubtListeners = new Set<(node: NodeInfo) => void>();
  #timer: Timer | undefined;
  #shownAt = Number.NEGATIVE_INFINITY;

  constructor(deps: DhtDeps, options: DhtOptions) {
    const { clock, random } = deps;
    const ownKey = deps.keyPair.publicKey;
    this.#clock = clock;
    this.#ownKey = ownKey;
    this.#options = options;
    this.#sendPacket = deps.send;
    this.#askLimit = new TokenBucket(ASKED_PER_SECOND, ASKED_AT_ONCE, clock.now());
    const send = this.#send;
    const envelope = new Envelope({ clock, random, ownKey, sharedKeys: deps.sharedKeys });
    this.#envelope = envelope;
    const common = { clock, random, envelope, send };
    const onRequest = this.#onRequest;
    this.#ping = new PingService({ ...common, onRequest, onResponse: (node) => this.#heard(node, undefined) });
    const closestNodes: NodesHandlers['closestNodes'] = (...query) => this.#known.closest(...query);
    this.#nodes = new NodesService({ ...common, handlers: { closestNodes, onRequest, onResponse: this.#onNodes } });
    this.#close = new ListKeeper({ clock, random, ask: this.#ask }, { list: new CloseList(ownKey) });
    this.#requests = new RequestForwarder(
      { envelope, send, findEndpoint: (key) => this.#close.list.find(key)?.goodEndpoints(clock.now())[0] },
      { ownKey },
    );
    this.#newcomers = new Newcomers({ ping: (node) => this.#ping.ping(node) }, { ownKey, now: clock.now() });
    this.#lanDiscovery = new LanDiscovery(
      { clock, send, interfaces: deps.interfaces ?? (() => []), onNode: (node) => this.#close.insist(node) },
      { ownKey, ipv6: options.ipv6 },
    );
    const ask = (node: NodeInfo): void => this.#ask(node, ownKey);
    this.#bootstrapper = new Bootstrapper({ clock, random, ask, isConnected: () => this.isConnected });
    this.#saved = new SavedNodes(ask);
    const natPings = new NatPings({ ...common, findSearch: (key) => this.#searches.get(key) });
    this.#requests.on(DhtRequestKind.NatPing, natPings.handle);
    this.#searches = new SearchTable({
      clock,
      random,
      ask: this.#ask,
      ping: (node) => this.#ping.ping(node),
      sendNatPing: natPings.send,
      showOurselves: this.#showOurselves,
      closestNodes: (target, count) => this.#known.closest(target, count, { lan: true }),
      isReachable: this.#isReachable,
    });
    this.#pulse = new Pulse({
      clock,
      random,
      close: this.#close.list,
      ping: (node) => this.#ping.ping(node),
      onDoubt: (node) => this.#doubt(node),
    });
    const isDoubtful = (key: PublicKey): boolean => this.#pulse.isDoubtful(key);
    this.#known = new KnownNodes({ clock, random, close: this.#close.list, searches: this.#searches, isDoubtful });
    this.#connectivity.onChange((isConnected) => {
      deps.log.debug(isConnected ? 'connected to the DHT' : 'no node of the DHT answers any more');
      if (!isConnected) this.#bootstrapper.restart();
    });
  }

  /** First byte and handler of every datagram that is for the DHT. */
  routes(): readonly (readonly [kind: number, handler: DatagramHandler])[] {
    const routes: [number, DatagramHandler][] = [
      [UdpKind.PingRequest, this.#ping.handleRequest],
      [UdpKind.PingResponse, this.#ping.handleResponse],
      [UdpKind.NodesRequest, this.#nodes.handleRequest],
      [UdpKind.NodesResponse, this.#nodes.handleResponse],
      [UdpKind.DhtRequest, this.#requests.handle],
    ];
    const { lanDiscovery, bootstrapInfo } = this.#options;
    if (lanDiscovery) routes.push([UdpKind.LanDiscovery, this.#lanDiscovery.handle]);
    if (bootstrapInfo !== undefined) routes.push([UdpKind.BootstrapInfo, infoService(bootstrapInfo, this.#send)]);
    return routes;
  }

  start(): void {
    if (this.#timer !== undefined) return;
    this.#timer = this.#clock.every(TICK_MS, () => this.tick(this.#clock.now()));
    if (this.#options.lanDiscovery) this.#lanDiscovery.start();
    this.#saved.tick(this.#clock.now(), this.#known.isBeyondLan);
  }

  /** Ends everything for good. */
  stop(): void {
    this.#timer?.cancel();
    this.#lanDiscovery.stop();
    this.#bootstrapper.stop();
    this.#pulse.stop();
    this.#close.close();
    this.#searches.close();
  }

  /** The periodic work; `start` calls it once a second. @param now ms of the clock */
  tick(now: number): void {
    this.#close.tick(now);
    this.#searches.tick(now);
    this.#newcomers.tick(now, (node) => this.#isWantedNewcomer(node, now));
    this.#pulse.tick(now);
    this.#saved.tick(now, this.isConnected && this.#known.isBeyondLan);
    this.#connectivity.set(!this.#pulse.isSilent && this.#close.list.nodes().some((node) => node.isGood(now)));
  }

  /** Whether a node near to us has answered within 122 s, and not all stay silent now. */
  get isConnected(): boolean {
    return this.#connectivity.isConnected;
  }

  /** Calls back whenever `isConnected` changes. @returns takes the listener away */
  onConnectedChange(listener: (isConnected: boolean) => void): () => void {
    return this.#connectivity.onChange(listener);
  }

  /** Calls back when a node has become good that was not. @returns takes the listener away */
  onNode(listener: (node: NodeInfo) => void): () => void {
    this.#nodeListeners.add(listener);
    return () => this.#nodeListeners.delete(listener);
  }

  /** Calls back when a node that was good does not answer any more. @returns takes the listener away */
  onDoubt(listener: (node: NodeInfo) => void): () => void {
    this.#doubtListeners.add(listener);
    return () => this.#doubtListeners.delete(listener);
  }

  /** Whether a node stays silent though it is too early to call it bad. */
  isDoubtful(key: PublicKey): boolean {
    return this.#pulse.isDoubtful(key);
  }

  /** Somebody has a reason to think that the node is gone; it is pinged, if it is near to us. */
  check(node: NodeInfo): void {
    this.#pulse.check(node);
  }

  /** What is known may be wrong, for we slept or the network has changed: asks everybody anew, at once. */
  refresh(): void {
    this.#pulse.stop();
    this.#close.refresh();
    this.#searches.refresh();
    this.#bootstrapper.restart();
    this.#saved.restart();
    if (this.#timer !== undefined) this.tick(this.#clock.now());
  }

  /** Enters the network through this node: asks it for nodes near to us until it answers, and again when all is lost. */
  bootstrap(node: NodeInfo): void {
    if (!node.publicKey.equals(this.#ownKey)) this.#bootstrapper.add(node);
  }

  /** Nodes of an earlier run, to be tried eight a second while we are not connected. */
  loadNodes(nodes: readonly NodeInfo[]): void {
    this.#saved.load(nodes.filter((node) => !node.publicKey.equals(this.#ownKey)));
    if (this.#timer !== undefined) this.#saved.tick(this.#clock.now(), this.#known.isBeyondLan);
  }

  /** What a later run may begin with: good nodes, at most 128. */
  nodesToSave(): NodeInfo[] {
    return this.#known.toSave();
  }

  /** Looks for the address of a node by its DHT key until closed. */
  search(publicKey: PublicKey, handlers: DhtSearchHandlers = {}): DhtSearch {
    return this.#searches.open(publicKey, handlers);
  }

  /** Sends one nodes request, without any repetition. */
  queryNode(node: NodeInfo, target: PublicKey): void {
    this.#ask(node, target);
  }

  /** Good nodes near to a key, the nearest in front. @param lan whether nodes of local networks may be among them */
  closestNodes(target: PublicKey, count: number, { lan }: { readonly lan: boolean }): NodeInfo[] {
    return this.#known.closest(target, count, { lan });
  }

  /** Good nodes near to ourselves. */
  goodNodes(): NodeInfo[] {
    return this.#known.near();
  }

  /** Good nodes from anywhere in the network, in random order; from near to us when there are too few. */
  randomNodes(count: number): NodeInfo[] {
    return this.#known.random(count);
  }

  /** Nodes through which we enter the network, and how many of them answered. */
  get bootstrapCounts(): { readonly known: number; readonly answering: number } {
    return this.#bootstrapper.counts;
  }

  /** Our own addresses as others see them, the one that most of them report in front. */
  get reportedEndpoints(): readonly ReportedEndpoint[] {
    return this.#ownReports.counted(this.#clock.now());
  }

  /** Whether nodes answer us, by what was asked and heard lately. */
  get udpHealth(): UdpHealth {
    return this.#udpHealth.at(this.#clock.now());
  }

  /**
   * Sends a DHT request to a node that we search for: straight if it answers, else by all nodes that know its address.
   * @returns false when there is no way
   * @throws RangeError when `data` is longer than 918 bytes
   */
  sendRequest(to: PublicKey, kind: number, data: Buffer): boolean {
    const packet = this.#envelope.sealRequest(to, { kind, data });
    const ways = this.#searches.get(to)?.ways(this.#clock.now()) ?? [];
    for (const endpoint of ways) this.#send(packet, endpoint);
    return ways.length > 0;
  }

  /** Takes the DHT requests of a kind. @throws RangeError when the kind has a handler already */
  onRequest(kind: number, handler: DhtRequestHandler): void {
    this.#requests.on(kind, handler);
  }

  readonly #send = (packet: Buffer, to: Endpoint): void => {
    if (to.family === 4 || this.#options.ipv6) this.#sendPacket(packet, to);
  };

  readonly #ask = (node: NodeInfo, target: PublicKey): void => {
    const now = this.#clock.now();
    if (!this.#isReachable(node) || !this.#askLimit.take(now)) return;
    this.#noteAsked(node, now);
    this.#pulse.asked(node);
    this.#nodes.ask(node, target);
  };

  /** Whom we look for may be behind a NAT or a firewall of its own, and tells nothing about ours. */
  #noteAsked({ publicKey, endpoint }: NodeInfo, now: number): void {
    if (this.#searches.get(publicKey) !== undefined) return;
    this.#udpHealth.asked(endpoint, this.#known.isGood(publicKey), now);
  }

  /** A node has proven that it lives at its address. */
  #heard(node: NodeInfo, asked: PublicKey | undefined): void {
    const now = this.#clock.now();
    const wasGood = this.#known.isGood(node.publicKey);
    this.#udpHealth.answered(node.endpoint, now);
    this.#bootstrapper.heard(node);
    this.#pulse.heard(node);
    const isNewClose = this.#close.heard(node, asked, now) === 'new';
    const isNew = this.#searches.heard(node, asked, now) || isNewClose;
    if (this.#close.list.find(node.publicKey)?.isGood(now)) this.#connectivity.set(true);
    if (isNew && !wasGood) for (const listener of [...this.#nodeListeners]) listener(node);
  }

  readonly #onNodes = (node: NodeInfo, asked: PublicKey, listed: readonly NodeInfo[]): void => {
    this.#heard(node, asked);
    const now = this.#clock.now();
    for (const other of listed) {
      if (other.publicKey.equals(this.#ownKey)) this.#ownReports.add(node.publicKey, other.endpoint, now);
      if (!this.#isReachable(other)) continue;
      this.#close.offer(other);
      this.#searches.named(node.publicKey, other, now);
    }
  };

  readonly #onRequest = (node: NodeInfo): void => {
    const now = this.#clock.now();
    if (this.#searches.get(node.publicKey)?.handleRequest(node.endpoint, now)) return;
    if (this.#isWantedNewcomer(node, now)) this.#newcomers.add(node, now);
  };

  #doubt(node: NodeInfo): void {
    for (const listener of [...this.#doubtListeners]) listener(node);
  }

  /** A node that enters our list, or one of ours that has moved. */
  #isWantedNewcomer(node: NodeInfo, now: number): boolean {
    const { publicKey, endpoint } = node;
    if (this.#close.list.wants(publicKey, endpoint, now)) return true;
    const isElsewhere = this.#close.list.find(publicKey)?.isElsewhere(endpoint, now);
    return isElsewhere || this.#searches.isElsewhere(node, now);
  }

  readonly #showOurselves = (): void => {
    const now = this.#clock.now();
    if (now - this.#shownAt < SHOW_INTERVAL_MS) return;
    this.#shownAt = now;
    for (const node of this.#known.closest(this.#ownKey, SHOWN_TO, { lan: true })) this.#ask(node, this.#ownKey);
  };

  readonly #isReachable = ({ publicKey, endpoint }: NodeInfo): boolean => {
    if (publicKey.equals(this.#ownKey) || !endpoint.isUnicast) return false;
    return endpoint.family === 4 || this.#options.ipv6;
  };
}
