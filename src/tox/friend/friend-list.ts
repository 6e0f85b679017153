/**
 * All friends. Joins DHT, onion and net_crypto: what these learn about a real key is passed to the connection with that friend.
 * Data of strangers is a friend request, or dropped.
 */
import type { Clock } from '../../base/clock.js';
import type { Endpoint } from '../../base/endpoint.js';
import { ExpiringMap } from '../../base/expiring-map.js';
import type { Logger } from '../../base/logger.js';
import type { Random } from '../../base/random.js';
import type { KeyPair } from '../crypto/key-pair.js';
import type { PublicKey } from '../crypto/keys.js';
import { SharedKeyCache } from '../crypto/shared-key-cache.js';
import type { Dht } from '../dht/dht.js';
import type { ConnectionOffer, NetCrypto } from '../net-crypto/net-crypto.js';
import type { Persistence } from '../onion/friend-search.js';
import type { OnionClient } from '../onion/onion-client.js';
import { DhtRequestKind, FriendKind, OnionDataKind } from '../packet/kind.js';
import {
  type DhtPublicKeyAnnouncement,
  decodeDhtPublicKeyAnnouncement,
  encodeDhtPublicKeyAnnouncement,
} from '../packet/onion-data.js';
import type { RelayPool } from '../relay/relay-pool.js';
import {
  AnnouncementCounter,
  announcedNodes,
  neighboursOf,
  openDhtAnnouncement,
  sealDhtAnnouncement,
} from './dht-announcement.js';
import { FriendConnection, type FriendConnectionHandlers } from './friend-connection.js';
import { FriendRequests } from './friend-requests.js';

/** ms for which the announcement of a client is stored, since it often overtakes the friend request. */
const STRANGER_MEMORY = 30_000;
/** Strangers' announcements stored; keys cost an attacker nothing, so the table is bounded. */
const MAX_STRANGERS = 256;
/** Keys shared with friends that are cached, so that packets with a forged sender cost no key agreement. */
const REAL_KEYS = 1_024;
/** The source of a request that came over the connection with a friend. */
const FROM_FRIEND = 'friend';

export interface FriendListDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly dht: Dht;
  readonly onion: OnionClient;
  readonly netCrypto: NetCrypto;
  readonly relays: RelayPool;
  readonly ownEndpoints: {
    /** Returns the external address that a router gave our UDP port. */
    external?(): Endpoint | undefined;
    /** Returns the addresses of our interfaces with the port of our socket. */
    local(): readonly Endpoint[];
  };
}

export interface FriendListOptions {
  readonly identity: KeyPair;
  readonly dhtKey: PublicKey;
  readonly nospam: Buffer;
}

export interface FriendListHandlers {
  /** A stranger asks to become a friend, or a friend repeats that. @param message a copy @param source see `FriendRequest` */
  onFriendRequest(publicKey: PublicKey, message: Buffer, source: string): void;
}

export class FriendList {
  readonly #deps: FriendListDeps;
  readonly #options: FriendListOptions;
  readonly #friends = new Map<string, FriendConnection>();
  readonly #requests: FriendRequests;
  readonly #realKeys: SharedKeyCache;
  readonly #strangers = new ExpiringMap<string, DhtPublicKeyAnnouncement>(STRANGER_MEMORY, MAX_STRANGERS);

  constructor(deps: FriendListDeps, handlers: FriendListHandlers, options: FriendListOptions) {
    this.#deps = deps;
    this.#options = options;
    this.#realKeys = new SharedKeyCache(options.identity.secretKey, REAL_KEYS);
    this.#requests = new FriendRequests({ clock: deps.clock, onRequest: handlers.onFriendRequest }, options.nospam);
    deps.dht.requests.on(DhtRequestKind.DhtPublicKey, (sender, data) => this.#onDhtRequest(sender, data));
  }

  /** @throws RangeError when the key is a friend's already */
  add(publicKey: PublicKey, handlers: FriendConnectionHandlers, persistence: Persistence): FriendConnection {
    if (this.#friends.has(publicKey.hex)) throw new RangeError(`FriendList: ${publicKey.short} is a friend already`);
    const { clock, random, log, dht, onion, netCrypto, relays } = this.#deps;
    const counter = new AnnouncementCounter(clock);
    const friend = new FriendConnection(
      {
        clock,
        log,
        dht,
        netCrypto,
        search: (searchHandlers) => onion.search(publicKey, searchHandlers, persistence),
        announcement: () => this.#announcement(counter),
        relays,
        sendByDht: (dhtKey, data) => {
          const own = { random, ownKey: this.#options.identity.publicKey, realKeys: this.#realKeys };
          const sealed = sealDhtAnnouncement(own, publicKey, data);
          dht.requests.send(dhtKey, DhtRequestKind.DhtPublicKey, sealed);
        },
      },
      publicKey,
      { ...handlers, onLossless: (data) => this.#onLossless(publicKey, data, handlers) },
    );
    this.#friends.set(publicKey.hex, friend);
    const announced = this.#strangers.take(publicKey.hex, clock.now());
    if (announced !== undefined) friend.handleAnnouncement(announced);
    return friend;
  }

  remove(publicKey: PublicKey): void {
    this.#friends.get(publicKey.hex)?.close();
    this.#friends.delete(publicKey.hex);
  }

  /** Checks or tries all connections at once: we slept, or the network has changed. */
  refresh(): void {
    for (const friend of [...this.#friends.values()]) friend.refresh();
  }

  /** Announces our changed addresses. */
  announceAgain(): void {
    for (const friend of this.#friends.values()) friend.announceAgain();
  }

  close(): void {
    for (const friend of this.#friends.values()) friend.close();
    this.#friends.clear();
  }

  /** Data has come through the onion; its inner box proves the sender. */
  handleOnionData(sender: PublicKey, data: Buffer, source: string): void {
    if (data[0] === OnionDataKind.DhtPublicKey) this.#onAnnouncement(sender, decodeDhtPublicKeyAnnouncement(data));
    else if (data[0] === OnionDataKind.FriendRequest) this.#requests.handle(sender, data, source);
  }

  /** A peer has sent a handshake; strangers get no answer. */
  handleOffer(offer: ConnectionOffer): void {
    this.#friends.get(offer.realKey.hex)?.handleOffer(offer);
  }

  #onLossless(sender: PublicKey, data: Buffer, { onLossless }: FriendConnectionHandlers): void {
    if (data[0] === FriendKind.FriendRequest) this.#requests.handle(sender, data, FROM_FRIEND);
    else onLossless(data);
  }

  #onDhtRequest(senderDhtKey: PublicKey, packet: Buffer): void {
    const opened = openDhtAnnouncement(this.#realKeys, packet, (sender) => this.#friends.has(sender.hex));
    if (opened === undefined) return;
    const announcement = decodeDhtPublicKeyAnnouncement(opened.data);
    // A friend's announcement in a request of another sender would be a replay.
    if (announcement?.dhtKey.equals(senderDhtKey)) this.#onAnnouncement(opened.sender, announcement);
  }

  #onAnnouncement(sender: PublicKey, announcement: DhtPublicKeyAnnouncement | undefined): void {
    if (announcement === undefined) return;
    const friend = this.#friends.get(sender.hex);
    if (friend !== undefined) friend.handleAnnouncement(announcement);
    else this.#strangers.set(sender.hex, announcement, this.#deps.clock.now());
  }

  #announcement(counter: AnnouncementCounter): Buffer {
    const { dht, ownEndpoints } = this.#deps;
    const { dhtKey } = this.#options;
    const relays = this.#deps.relays.meetingPlaces;
    const nodes = announcedNodes({
      relays,
      dhtKey,
      externalEndpoint: ownEndpoints.external?.(),
      reported: dht.reportedEndpoints.map(({ endpoint }) => endpoint),
      local: ownEndpoints.local(),
      neighbours: neighboursOf(dht.known, dhtKey),
    });
    return encodeDhtPublicKeyAnnouncement({ noReplay: counter.next(relays.length > 0), dhtKey, nodes });
  }
}
