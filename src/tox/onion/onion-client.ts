/**
 * The client of the onion (spec: "Onion client"): our announcement and the searches for friends, with the paths and requests that
 * they share.
 */
import type { Clock, Timer } from '../../base/clock.js';
import type { Endpoint } from '../../base/endpoint.js';
import type { Logger } from '../../base/logger.js';
import type { Random } from '../../base/random.js';
import type { KeyPair } from '../crypto/key-pair.js';
import type { PublicKey } from '../crypto/keys.js';
import type { DatagramHandler } from '../network/datagram-socket.js';
import { UdpKind } from '../packet/kind.js';
import type { NodeInfo } from '../packet/node-info.js';
import { AnnounceRequests } from './announce-requests.js';
import { type DataSource, sourceByRelay, sourceByUdp } from './data-limit.js';
import { FriendSearch, type FriendSearchHandlers, type OwnStore, type Persistence } from './friend-search.js';
import { type EntryRelays, type OnionDht, OnionPaths } from './onion-paths.js';
import { OwnAnnouncement } from './own-announcement.js';

/** Nodes of the DHT near the target with which a search begins. */
const SEEDS = 8;
/** Nodes of our paths with which a search begins; more would only cause a burst. */
const MAX_PATH_SEEDS = 32;

export interface OnionClientDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly send: (packet: Buffer, destination: Endpoint) => void;
  readonly dht: OnionDht;
  /** The announcements that our own node stores. */
  readonly ownStore: OwnStore;
  /** TCP relays as first hops, for networks without UDP. */
  readonly relays?: EntryRelays;
}

export interface OnionClientHandlers {
  /** Onion data, its id first, whose inner box proves the sender. @param source a first hop, or all others */
  readonly onData: (sender: PublicKey, data: Buffer, source: DataSource) => void;
  /** Friends can find us now, or cannot any more. */
  readonly onAnnouncedChange?: (isAnnounced: boolean) => void;
  /** Nodes store us, but nothing reaches us; all paths are new now, and the DHT should be refreshed as well. */
  readonly onUnreachable?: () => void;
}

export interface OnionClientOptions {
  readonly dhtKeyPair: KeyPair;
  /** The real key pair. */
  readonly identity: KeyPair;
  /** False on a machine that cannot reach IPv6 addresses; default true. */
  readonly hasIpv6?: boolean;
}

export class OnionClient {
  readonly #deps: OnionClientDeps;
  readonly #handlers: OnionClientHandlers;
  readonly #options: OnionClientOptions;
  readonly #log: Logger;
  readonly #requests: AnnounceRequests;
  readonly #paths: OnionPaths;
  readonly #searches = new Map<string, FriendSearch>();
  /** Undefined while the client is stopped. */
  #announcement: OwnAnnouncement | undefined;
  /** Asks the first known nodes, before any node has answered. */
  #firstAsk: Timer | undefined;
  #wasAnnounced = false;
  #dropped = 0;

  constructor(deps: OnionClientDeps, handlers: OnionClientHandlers, options: OnionClientOptions) {
    this.#deps = deps;
    this.#handlers = handlers;
    this.#options = options;
    this.#log = deps.log.child('onion');
    this.#requests = new AnnounceRequests(deps);
    this.#paths = new OnionPaths(deps, options.dhtKeyPair);
  }

  routes(): [number, DatagramHandler][] {
    return [
      [UdpKind.AnnounceResponse, (packet, source) => this.#onAnnounceResponse(packet, source)],
      [UdpKind.OnionDataResponse, (packet, source) => this.#onData(packet, sourceByUdp(source))],
    ];
  }

  /** Whether a node has confirmed that it stores us, so that friends can find us. */
  get isAnnounced(): boolean {
    return this.#announcement?.announcer.isAnnounced ?? false;
  }

  /** The number of responses and data packets that were unexpected or could not be opened. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Announces us under a new data key, and begins all searches. */
  start(): void {
    if (this.#announcement !== undefined) return;
    const { clock, random } = this.#deps;
    const { identity } = this.#options;
    const seeds = (): readonly NodeInfo[] => this.#seeds(identity.publicKey);
    this.#announcement = new OwnAnnouncement(
      { clock, random, identity, requests: this.#requests, paths: this.#paths.own, seeds },
      {
        onAnnouncedChange: (isAnnounced) => this.#onAnnouncedChange(isAnnounced),
        onData: (sender, data, source) => this.#handlers.onData(sender, data, source),
        onUnreachable: () => this.#onUnreachable(),
      },
    );
    this.#announcement.start();
    for (const search of this.#searches.values()) search.begin();
  }

  /** Stops without calling a handler; searches stay, and continue after `start`. */
  stop(): void {
    const announcement = this.#announcement;
    if (announcement === undefined) return;
    this.#announcement = undefined;
    this.#wasAnnounced = false;
    this.#firstAsk?.cancel();
    this.#firstAsk = undefined;
    announcement.stop();
    for (const search of this.#searches.values()) search.end();
    this.#requests.clear();
    this.#paths.clear();
  }

  /** Adds a new good node of the DHT or a bootstrap node, and asks it at once where that helps. */
  noteNode(node: NodeInfo): void {
    if (!this.#isReachable(node)) return;
    this.#paths.noteKnown(node);
    if (this.#announcement === undefined) return;
    if (this.#deps.dht.known.near().length > 0) this.#ask(node);
    // Whether there are so few nodes that they are used before they have answered is known when all have been named.
    else this.#firstAsk ??= this.#deps.clock.soon(() => this.#askFirst());
  }

  #askFirst(): void {
    this.#firstAsk = undefined;
    for (const node of this.#paths.nodes) this.#ask(node);
  }

  #ask(node: NodeInfo): void {
    if (this.#announcement === undefined) return;
    this.#announcement.announcer.noteNode(node);
    for (const search of this.#searches.values()) search.noteNode(node);
  }

  /** A node that was good does not answer any more: replaces the paths through it, and announces us again where they were used. */
  noteSuspect(node: NodeInfo): void {
    if (this.#announcement === undefined) return;
    if (this.#paths.forgetThrough(node)) this.#askAgain();
    this.#announcement.announcer.noteSuspect(node.publicKey);
  }

  /** Replaces all paths and asks all nodes again: everything that is known may be wrong. */
  refresh(): void {
    if (this.#announcement === undefined) return;
    this.#paths.clear();
    const { nodes } = this.#paths;
    this.#announcement.refresh(nodes);
    for (const search of this.#searches.values()) search.refresh(nodes);
  }

  /** Repeats unanswered requests at once: a TCP relay can be a first hop now, or UDP has stopped working. */
  noteEntryChange(): void {
    if (this.#announcement === undefined || this.#paths.relays.length === 0) return;
    this.#paths.forgetUnanswered();
    this.#askAgain();
  }

  #askAgain(): void {
    if (this.#announcement === undefined) return;
    const { nodes } = this.#paths;
    this.#announcement.announcer.askAgain(nodes);
    for (const search of this.#searches.values()) search.askAgain(nodes);
  }

  /** A packet has arrived over a TCP relay. */
  receive(packet: Buffer, relay: NodeInfo): void {
    if (packet[0] === UdpKind.AnnounceResponse) this.#onAnnounceResponse(packet, relay.endpoint);
    else if (packet[0] === UdpKind.OnionDataResponse) this.#onData(packet, sourceByRelay(relay));
    else this.#dropped += 1;
  }

  /** A client has announced itself at our own node. */
  noteStored(publicKey: PublicKey): void {
    this.#searches.get(publicKey.hex)?.noteOwnStore();
  }

  /** Begins to search for a friend. @throws RangeError when there is a search for this friend already */
  search(friend: PublicKey, handlers: FriendSearchHandlers, persistence: Persistence = 'eager'): FriendSearch {
    if (this.#searches.has(friend.hex))
      throw new RangeError(`OnionClient: there is a search for ${friend.short} already`);
    const search = new FriendSearch(
      {
        clock: this.#deps.clock,
        random: this.#deps.random,
        identity: this.#options.identity,
        requests: this.#requests,
        paths: this.#paths.friends,
        ownStore: this.#deps.ownStore,
        seeds: (target) => this.#seeds(target),
      },
      { friend, persistence, handlers, onClosed: () => this.#searches.delete(friend.hex) },
    );
    this.#searches.set(friend.hex, search);
    if (this.#announcement !== undefined) search.begin();
    return search;
  }

  #onAnnouncedChange(isAnnounced: boolean): void {
    this.#log.debug(isAnnounced ? 'announced: friends can find us' : 'no node stores us any more');
    // After an outage friends that were not found may be back. c-toxcore does the same.
    if (isAnnounced && this.#wasAnnounced) for (const search of this.#searches.values()) search.hurry();
    this.#wasAnnounced ||= isAnnounced;
    this.#handlers.onAnnouncedChange?.(isAnnounced);
  }

  #onUnreachable(): void {
    this.#log.warn('announced, but unreachable: rebuilding onion paths');
    this.refresh();
    this.#handlers.onUnreachable?.();
  }

  #onAnnounceResponse(packet: Buffer, source: Endpoint): void {
    const filter = (node: NodeInfo): boolean => this.#isReachable(node) && (source.isLan || !node.endpoint.isLan);
    const onNode = (node: NodeInfo): void => this.#paths.noteAnswer(node);
    if (!this.#requests.receive(packet, filter, onNode)) this.#dropped += 1;
  }

  #onData(packet: Buffer, source: DataSource): void {
    if (this.#announcement?.receive(packet, source) !== true) this.#dropped += 1;
  }

  #isReachable({ publicKey, endpoint }: NodeInfo): boolean {
    if (!endpoint.isUnicast || publicKey.equals(this.#options.dhtKeyPair.publicKey)) return false;
    return endpoint.family === 4 || this.#options.hasIpv6 !== false;
  }

  #seeds(target: PublicKey): NodeInfo[] {
    const closest = this.#deps.dht.known.closest(target, SEEDS, { lan: true });
    return [...closest, ...this.#paths.nodes.slice(0, MAX_PATH_SEEDS)];
  }
}
