/**
 * The onion from the side of who uses it (spec: "Onion client"): our presence in it, and the searches for friends. Joins them
 * with the paths and the requests that they share.
 */
import type { Clock, Timer } from '../../base/clock.js';
import type { Endpoint } from '../../base/endpoint.js';
import type { Logger } from '../../base/logger.js';
import type { Random } from '../../base/random.js';
import type { KeyPair, PublicKey } from '../crypto/keys.js';
import type { DatagramHandler } from '../network/datagram-socket.js';
import { UdpKind } from '../packet/kind.js';
import type { NodeInfo } from '../packet/node-info.js';
import { AnnounceRequests } from './announce-requests.js';
import { type DataSource, sourceByRelay, sourceByUdp } from './data-limit.js';
import { FriendSearch, type FriendSearchHandlers, type OwnStore, type Persistence } from './friend-search.js';
import { OnionPaths } from './onion-paths.js';
import { OwnAnnouncement } from './own-announcement.js';
import type { EntryRelays, NodeHealth } from './path-nodes.js';

/** Nodes near the target that the DHT knows, with which a search begins. */
const SEEDS = 8;
/** Nodes of our paths with which a search begins; more would be a burst for nothing. */
const MAX_PATH_SEEDS = 32;
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
  /** @param way by which it came: one of a few */
  readonly onData: (sender: PublicKey, data: Buffer, way: DataSource) => void;
  /** Friends can find us now, or no longer. */
  readonly onAnnouncedChange?: (isAnnounced: boolean) => void;
  /** Nodes say that they store us, but nothing reaches us; all paths are new now, and the DHT should look around as well. */
  readonly onUnreachable?: () => void;
}

export interface OnionClientOptions {
  /** False on a machine that cannot reach IPv6 addresses; default true. */
  readonly hasIpv6?: boolean;
}

export class OnionClient {
  readonly #deps: OnionClientDeps;
  readonly #handlers: OnionClientHandlers;
  readonly #hasIpv6: boolean;
  readonly #log: Logger;
  readonly #requests: AnnounceRequests;
  readonly #paths: OnionPaths;
  readonly #searches = new Map<string, FriendSearch>();
  /** While it runs. */
  #presence: OwnAnnouncement | undefined;
  #trusting: Timer | undefined;
  #wasAnnounced = false;
  #dropped = 0;

  constructor(deps: OnionClientDeps, handlers: OnionClientHandlers, options: OnionClientOptions = {}) {
    this.#deps = deps;
    this.#handlers = handlers;
    this.#hasIpv6 = options.hasIpv6 ?? true;
    this.#log = deps.log.child('onion');
    this.#requests = new AnnounceRequests(deps);
    this.#paths = new OnionPaths(deps);
  }

  routes(): [number, DatagramHandler][] {
    return [
      [UdpKind.AnnounceResponse, (packet, source) => this.#onAnnounceResponse(packet, source)],
      [UdpKind.OnionDataResponse, (packet, source) => this.#onData(packet, sourceByUdp(source))],
    ];
  }

  /** True while a node confirmed that it stores us, so that friends can find us. */
  get isAnnounced(): boolean {
    return this.#presence?.isAnnounced ?? false;
  }

  /** Nodes that confirmed that they store us, at most 12. */
  get storingNodes(): number {
    return this.#presence?.storingNodes ?? 0;
  }

  /** Responses and data that nobody waited for, or that could not be opened. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Announces us under a fresh data key, and begins all searches. */
  start(): void {
    if (this.#presence !== undefined) return;
    const { clock, random, identity } = this.#deps;
    const seeds = (): readonly NodeInfo[] => this.#seeds(identity.publicKey);
    this.#presence = new OwnAnnouncement(
      { clock, random, identity, requests: this.#requests, paths: this.#paths.own, seeds },
      {
        onAnnouncedChange: (isAnnounced) => this.#onAnnouncedChange(isAnnounced),
        onData: (sender, data, way) => this.#handlers.onData(sender, data, way),
        onUnreachable: () => this.#onUnreachable(),
      },
    );
    this.#presence.start();
    for (const search of this.#searches.values()) search.begin();
  }

  /** Stops all without a word to the handlers; searches stay, and go on after `start`. */
  stop(): void {
    const presence = this.#presence;
    if (presence === undefined) return;
    this.#presence = undefined;
    this.#wasAnnounced = false;
    this.#trusting?.cancel();
    this.#trusting = undefined;
    presence.stop();
    for (const search of this.#searches.values()) search.end();
    this.#requests.clear();
    this.#paths.clear();
  }

  /** The DHT has a new good node, or the user named a bootstrap node: it is asked at once where it helps. */
  noteNode(node: NodeInfo): void {
    if (!this.#isReachable(node)) return;
    this.#paths.nodes.noteKnown(node);
    if (this.#presence === undefined) return;
    if (this.#deps.pathNodes().length > 0) this.#ask(node);
    // The first of many bootstrap nodes is not the only one: whom to trust is known once all have been named.
    else this.#trusting ??= this.#deps.clock.soon(() => this.#askTrusted());
  }

  #askTrusted(): void {
    this.#trusting = undefined;
    for (const node of this.#paths.nodes.nodes) this.#ask(node);
  }

  #ask(node: NodeInfo): void {
    if (this.#presence === undefined) return;
    this.#presence.noteNode(node);
    for (const search of this.#searches.values()) search.noteNode(node);
  }

  /** A node that was good does not answer any more: what goes through it is lost until we are announced by another path. */
  noteDoubt(node: NodeInfo): void {
    if (this.#presence === undefined) return;
    if (this.#paths.forgetThrough(node)) this.#askAgain();
    this.#presence.noteDoubt(node);
  }

  /** Everything that is known may be wrong: all paths are new, and everybody is asked anew. */
  refresh(): void {
    if (this.#presence === undefined) return;
    this.#paths.clear();
    const { nodes } = this.#paths.nodes;
    this.#presence.refresh(nodes);
    for (const search of this.#searches.values()) search.refresh(nodes);
  }

  /** A TCP relay is there to begin paths with, or UDP has died: what waits for an answer is asked anew, at once. */
  noteEntryChange(): void {
    if (this.#presence === undefined || this.#paths.nodes.relays.length === 0) return;
    this.#paths.forgetUnanswered();
    this.#askAgain();
  }

  #askAgain(): void {
    if (this.#presence === undefined) return;
    const { nodes } = this.#paths.nodes;
    this.#presence.askAgain(nodes);
    for (const search of this.#searches.values()) search.askAgain(nodes);
  }

  /** A packet that came over a TCP relay. */
  receive(packet: Buffer, relay: NodeInfo): void {
    if (packet[0] === UdpKind.AnnounceResponse) this.#onAnnounceResponse(packet, relay.endpoint);
    else if (packet[0] === UdpKind.OnionDataResponse) this.#onData(packet, sourceByRelay(relay));
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
    if (this.#presence !== undefined) search.begin();
    return search;
  }

  #onAnnouncedChange(isAnnounced: boolean): void {
    this.#log.debug(isAnnounced ? 'announced: friends can find us' : 'no node stores us any longer');
    // Back after an outage: whoever was searched for in vain meanwhile may be there. c-toxcore does the same.
    if (isAnnounced && this.#wasAnnounced) for (const search of this.#searches.values()) search.hurry();
    this.#wasAnnounced ||= isAnnounced;
    this.#handlers.onAnnouncedChange?.(isAnnounced);
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

  #onData(packet: Buffer, source: DataSource): void {
    if (this.#presence?.receive(packet, source) !== true) this.#dropped += 1;
  }

  #isReachable({ publicKey, endpoint }: NodeInfo): boolean {
    if (!endpoint.isUnicast || publicKey.equals(this.#deps.dhtKeyPair.publicKey)) return false;
    return endpoint.family === 4 || this.#hasIpv6;
  }

  #seeds(target: PublicKey): NodeInfo[] {
    return [...(this.#deps.closestNodes?.(target, SEEDS) ?? []), ...this.#paths.nodes.nodes.slice(0, MAX_PATH_SEEDS)];
  }
}
