/**
 * The onion from the side of who uses it (spec: "Onion client"): announces our real key, searches for friends', and
 * receives what friends send through the nodes that store us. Joins paths, requests and searches.
 */
import type { Clock, Timer } from '../../base/clock.js';
import type { Endpoint } from '../../base/endpoint.js';
import type { Logger } from '../../base/logger.js';
import type { Random } from '../../base/random.js';
import { TokenBucket } from '../../base/token-bucket.js';
import { generateKeyPair, type KeyPair, type PublicKey } from '../crypto/keys.js';
import type { DatagramHandler } from '../network/datagram-socket.js';
import { UdpKind } from '../packet/kind.js';
import type { NodeInfo } from '../packet/node-info.js';
import { decodeOnionDataResponse } from '../packet/onion-data.js';
import { AnnounceRequests, announcer } from './announce-requests.js';
import { openBoth, sealInner, sealOuter } from './data-box.js';
import { FriendSearch, type FriendSearchHandlers, type OwnStore, type Persistence } from './friend-search.js';
import type { OnionPath } from './onion-path.js';
import { OnionPaths } from './onion-paths.js';
import type { EntryRelays, NodeHealth } from './path-nodes.js';
import { SelfAnnouncer } from './self-announcer.js';
import { SelfCalls } from './self-calls.js';

/** Implementation: nodes near the target that the DHT knows, with which a search begins. */
const SEEDS = 8;
/** Implementation: nodes of our paths with which a search begins; more would be a burst for nothing. */
const MAX_PATH_SEEDS = 32;
/** Implementation: onion data opened a second, and at once. Each costs two key agreements, and strangers can send it. */
const DATA_RATE = 200;
const DATA_BURST = 400;

export interface OnionClientDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly dhtKeyPair: KeyPair;
  /** The real key pair. */
  readonly identity: KeyPair;
  readonly send: (packet: Buffer, destination: Endpoint) => void;
  /** Nodes for paths: the DHT's good ones, and bootstrap nodes before any is good. */
  readonly pathNodes: () => readonly NodeInfo[];
  /** The good nodes closest to `target`, with which a search saves its first rounds. */
  readonly closestNodes?: (target: PublicKey, count: number) => readonly NodeInfo[];
  /** Where others are announced at our own node. */
  readonly ownStore: OwnStore;
  /** TCP relays, for where UDP does not work. */
  readonly relays?: EntryRelays;
  readonly health?: NodeHealth;
}

export interface OnionClientHandlers {
  /** Onion data came, its id first; the inner box proved the sender. */
  readonly onData: (sender: PublicKey, data: Buffer) => void;
  /** Friends can find us now, or no longer. */
  readonly onAnnouncedChange?: (isAnnounced: boolean) => void;
  /** Nodes say that they store us, but nothing reaches us; all paths are new now, and the DHT should look around as well. */
  readonly onUnreachable?: () => void;
}

export interface OnionClientOptions {
  /** False on a machine that cannot reach IPv6 addresses; default true. */
  readonly hasIpv6?: boolean;
}

type State =
  | { readonly kind: 'stopped' }
  | {
      readonly kind: 'running';
      readonly dataKeys: KeyPair;
      readonly announcer: SelfAnnouncer;
      readonly calls: SelfCalls;
    };

export class OnionClient {
  readonly #deps: OnionClientDeps;
  readonly #handlers: OnionClientHandlers;
  readonly #hasIpv6: boolean;
  readonly #log: Logger;
  readonly #requests: AnnounceRequests;
  readonly #paths: OnionPaths;
  readonly #searches = new Map<string, FriendSearch>();
  readonly #dataLimit: TokenBucket;
  #state: State = { kind: 'stopped' };
  #trusting: Timer | undefined;
  #wasAnnounced = false;
  #dropped = 0;

  constructor(deps: OnionClientDeps, handlers: OnionClientHandlers, options: OnionClientOptions = {}) {
    this.#deps = deps;
    this.#handlers = handlers;
    this.#hasIpv6 = options.hasIpv6 ?? true;
    this.#log = deps.log.child('onion');
    this.#requests = new AnnounceRequests(deps);
    this.#dataLimit = new TokenBucket(DATA_RATE, DATA_BURST, deps.clock.now());
    this.#paths = new OnionPaths(deps);
  }

  routes(): [number, DatagramHandler][] {
    return [
      [UdpKind.AnnounceResponse, (packet, source) => this.#onAnnounceResponse(packet, source)],
      [UdpKind.OnionDataResponse, (packet) => this.#onData(packet)],
    ];
  }

  /** True while a node confirmed that it stores us, so that friends can find us. */
  get isAnnounced(): boolean {
    return this.#state.kind === 'running' && this.#state.announcer.isAnnounced;
  }

  /** Nodes that confirmed that they store us, at most 12. */
  get storingNodes(): number {
    return this.#state.kind === 'running' ? this.#state.announcer.storingNodes : 0;
  }

  /** Responses and data that nobody waited for, or that could not be opened. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Announces us under a fresh data key, and begins all searches. */
  start(): void {
    if (this.#state.kind === 'running') return;
    const dataKeys = generateKeyPair(this.#deps.random);
    const self = new SelfAnnouncer(
      {
        clock: this.#deps.clock,
        requests: this.#requests,
        paths: this.#paths.own,
        seeds: () => this.#seeds(this.#deps.identity.publicKey),
        onChange: (isAnnounced) => this.#onAnnouncedChange(isAnnounced),
        onStored: () => calls.prove(),
      },
      announcer(this.#deps.identity, dataKeys.publicKey),
    );
    const calls = new SelfCalls({
      clock: this.#deps.clock,
      random: this.#deps.random,
      storing: () => self.storing,
      send: (node, data) => this.#callSelf(node, data, dataKeys.publicKey, self.pathTo(node)),
      onUnanswered: (node) => self.renew(node),
      onLost: () => this.#onUnreachable(),
    });
    this.#state = { kind: 'running', dataKeys, announcer: self, calls };
    self.start();
    calls.start();
    for (const search of this.#searches.values()) search.begin();
  }

  /** Stops all without a word to the handlers; searches stay, and go on after `start`. */
  stop(): void {
    if (this.#state.kind === 'stopped') return;
    const { dataKeys, announcer: self, calls } = this.#state;
    this.#state = { kind: 'stopped' };
    this.#wasAnnounced = false;
    this.#trusting?.cancel();
    this.#trusting = undefined;
    calls.stop();
    self.stop();
    for (const search of this.#searches.values()) search.end();
    this.#requests.clear();
    this.#paths.clear();
    dataKeys.secretKey.wipe();
  }

  /** The DHT has a new good node, or the user named a bootstrap node: it is asked at once where it helps. */
  noteNode(node: NodeInfo): void {
    if (!this.#isReachable(node)) return;
    this.#paths.nodes.noteKnown(node);
    if (this.#state.kind === 'stopped') return;
    if (this.#deps.pathNodes().length > 0) this.#ask(node);
    // The first of many bootstrap nodes is not the only one: whom to trust is known once all have been named.
    else this.#trusting ??= this.#deps.clock.soon(() => this.#askTrusted());
  }

  #askTrusted(): void {
    this.#trusting = undefined;
    for (const node of this.#paths.nodes.nodes) this.#ask(node);
  }

  #ask(node: NodeInfo): void {
    if (this.#state.kind === 'stopped') return;
    this.#state.announcer.noteNode(node);
    for (const search of this.#searches.values()) search.noteNode(node);
  }

  /** A node that was good does not answer any more: what goes through it is lost until we are announced by another path. */
  noteDoubt(node: NodeInfo): void {
    if (this.#state.kind === 'stopped') return;
    if (this.#paths.forgetThrough(node)) this.#askAgain();
    this.#state.announcer.noteDoubt(node.publicKey);
  }

  /** Everything that is known may be wrong: all paths are new, and everybody is asked anew. */
  refresh(): void {
    if (this.#state.kind === 'stopped') return;
    this.#paths.clear();
    const { nodes } = this.#paths.nodes;
    this.#state.announcer.refresh(nodes, this.#state.calls.isProven);
    for (const search of this.#searches.values()) search.refresh(nodes);
  }

  /** A TCP relay is there to begin paths with, or UDP has died: what waits for an answer is asked anew, at once. */
  noteEntryChange(): void {
    if (this.#state.kind === 'stopped' || this.#paths.nodes.relays.length === 0) return;
    this.#paths.forgetUnanswered();
    this.#askAgain();
  }

  #askAgain(): void {
    if (this.#state.kind === 'stopped') return;
    const { nodes } = this.#paths.nodes;
    this.#state.announcer.askAgain(nodes);
    for (const search of this.#searches.values()) search.askAgain(nodes);
  }

  /** A packet that came over a TCP relay. */
  receive(packet: Buffer, relay: NodeInfo): void {
    if (packet[0] === UdpKind.AnnounceResponse) this.#onAnnounceResponse(packet, relay.endpoint);
    else if (packet[0] === UdpKind.OnionDataResponse) this.#onData(packet);
    else this.#dropped += 1;
  }

  /** Somebody has announced itself at our own node. */
  noteStored(publicKey: PublicKey): void {
    this.#searches.get(publicKey.hex)?.noteOwnStore();
  }

  /**
   * Begins to search for a friend.
   * @throws RangeError when there is a search for this friend already
   */
  search(friend: PublicKey, handlers: FriendSearchHandlers, persistence: Persistence = 'eager'): FriendSearch {
    if (this.#searches.has(friend.hex)) throw new RangeError(`OnionClient: ${friend.short} is searched for already`);
    const search = new FriendSearch(
      {
        clock: this.#deps.clock,
        random: this.#deps.random,
        identity: this.#deps.identity,
        requests: this.#requests,
        paths: this.#paths.friends,
        ownStore: this.#deps.ownStore,
        seeds: (target) => this.#seeds(target),
      },
      { friend, persistence, handlers, onClosed: () => this.#searches.delete(friend.hex) },
    );
    this.#searches.set(friend.hex, search);
    if (this.#state.kind === 'running') search.begin();
    return search;
  }

  #onAnnouncedChange(isAnnounced: boolean): void {
    this.#log.debug(isAnnounced ? 'announced: friends can find us' : 'no node stores us any longer');
    // Back after an outage: whoever was searched for in vain meanwhile may be there. c-toxcore does the same.
    if (isAnnounced && this.#wasAnnounced) for (const search of this.#searches.values()) search.hurry();
    this.#wasAnnounced ||= isAnnounced;
    this.#handlers.onAnnouncedChange?.(isAnnounced);
  }

  /**
   * As a friend would: through the node, by a path that we are not announced by; but none that leads to friends, for its exit
   * sees the keys of all receivers.
   */
  #callSelf(node: NodeInfo, data: Buffer, dataKey: PublicKey, except: OnionPath | undefined): void {
    const { random, identity } = this.#deps;
    const inner = sealInner(random, identity, identity.publicKey, data);
    this.#paths.own.pick({ proven: true, except })?.send(sealOuter(random, inner, dataKey), node.endpoint);
  }

  #onUnreachable(): void {
    this.#log.warn('nodes store us, but nothing sent to us arrives: looking for the network anew');
    this.refresh();
    this.#handlers.onUnreachable?.();
  }

  #onAnnounceResponse(packet: Buffer, source: Endpoint): void {
    const filter = (node: NodeInfo): boolean => this.#isReachable(node) && (source.isLan || !node.endpoint.isLan);
    const onNode = (node: NodeInfo): void => this.#paths.nodes.noteAnswer(node);
    if (!this.#requests.receive(packet, filter, onNode)) this.#dropped += 1;
  }

  #onData(packet: Buffer): void {
    const state = this.#state;
    const response = decodeOnionDataResponse(packet);
    if (response === undefined || state.kind === 'stopped') {
      this.#dropped += 1;
      return;
    }
    const isWelcome = this.#dataLimit.take(this.#deps.clock.now());
    // In a flood our own calls go unopened like all else, which says nothing about the ways that they took.
    if (!isWelcome) state.calls.prove();
    const opened = isWelcome ? openBoth(response, state.dataKeys, this.#deps.identity) : undefined;
    const isOwn = opened?.sender.equals(this.#deps.identity.publicKey) === true;
    if (opened === undefined) this.#dropped += 1;
    else if (isOwn) this.#noteCall(opened.data);
    else this.#handlers.onData(opened.sender, opened.data);
  }

  #noteCall(data: Buffer): void {
    if (this.#state.kind === 'stopped' || !this.#state.calls.receive(data)) this.#dropped += 1;
  }

  #isReachable({ publicKey, endpoint }: NodeInfo): boolean {
    if (!endpoint.isUnicast || publicKey.equals(this.#deps.dhtKeyPair.publicKey)) return false;
    return endpoint.family === 4 || this.#hasIpv6;
  }

  #seeds(target: PublicKey): NodeInfo[] {
    return [...(this.#deps.closestNodes?.(target, SEEDS) ?? []), ...this.#paths.nodes.nodes.slice(0, MAX_PATH_SEEDS)];
  }
}
