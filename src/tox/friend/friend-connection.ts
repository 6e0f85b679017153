/**
 * One friend, from a bare public key to a living connection (spec: "Friend connection"; c-toxcore friend_connection.c):
 *
 *     searching    the onion is asked where the friend is announced; each node that stores it gets our DHT public key
 *     connecting   the friend's DHT key is known: the DHT looks for its address, net_crypto shakes hands
 *     established  packets flow; ALIVE every 8 s; after 32 s without a word the connection is given up and all begins again
 *
 * Whatever comes first moves it on: an announcement of the friend's DHT key, its cookie request, its handshake.
 */
import type { Timer } from '../../base/clock.js';
import type { Endpoint } from '../../base/endpoint.js';
import type { Logger } from '../../base/logger.js';
import { Repeater } from '../../base/repeater.js';
import type { PublicKey } from '../crypto/keys.js';
import type { DhtSearch } from '../dht/search.js';
import type { ConnectionHandlers } from '../net-crypto/connection-host.js';
import type { CryptoConnection } from '../net-crypto/crypto-connection.js';
import type { ConnectionOffer } from '../net-crypto/net-crypto.js';
import type { Route } from '../net-crypto/route.js';
import type { FriendSearch } from '../onion/friend-search.js';
import { ALIVE_PACKET } from '../packet/friend.js';
import { FriendKind } from '../packet/kind.js';
import type { DhtPublicKeyAnnouncement } from '../packet/onion-data.js';
import { ConnectionRecord, endingOf, type Traffic, trafficOf } from './connection-record.js';
import type { FriendConnectionDeps, FriendConnectionHandlers, FriendStanding } from './friend-connection-owner.js';
import { FriendRelays } from './friend-relays.js';
import type { FriendSight } from './friend-sight.js';

/** Specification: an ALIVE packet every 8 s, and death after 32 s of silence. */
const ALIVE_INTERVAL = 8_000;
const SILENCE_LIMIT = 32_000;
/**
 * Implementation: both sides speak once a second. After this much silence the friend may well have been killed and run again,
 * and is searched for besides; one that forgot us needs our friend request, and shall not wait 32 s for it. ms.
 */
const DOUBT = 4_000;
/** Implementation: after a disruption, ms in which a friend that lives lets us hear something; it speaks once a second. */
const ANSWER_PATIENCE = 2_000;
/** Specification (c-toxcore FRIEND_DHT_TIMEOUT): a DHT key not heard of again for so long is of no use. */
const DHT_KEY_LIFETIME = 122_000;
/**
 * Implementation: gaps between our DHT key announcements while the friend is away. c-toxcore drops those that come before
 * it knows us as a friend, which takes it 50 ms or 100 ms from the friend request: hence the haste at the start.
 */
const ANNOUNCE_GAPS = [60, 90, 150, 300, 400, 500, 500, 1_000, 2_000, 4_000, 8_000, 15_000, 30_000];
/** Implementation: an attempt to connect that failed is followed by the next one after so long. */
const RETRY_DELAY = 1_000;

type State =
  | { readonly kind: 'searching' }
  | { readonly kind: 'connecting'; readonly connection: CryptoConnection }
  | { readonly kind: 'established'; readonly connection: CryptoConnection; readonly aliveTimer: Timer };

/** The friend's DHT key as last announced, and the search for it in the DHT. */
interface Whereabouts {
  readonly dhtKey: PublicKey;
  readonly search: DhtSearch;
}

export class FriendConnection {
  readonly publicKey: PublicKey;
  readonly record: ConnectionRecord;
  readonly #deps: FriendConnectionDeps;
  readonly #handlers: FriendConnectionHandlers;
  readonly #log: Logger;
  readonly #search: FriendSearch;
  readonly #announcer: Repeater;
  readonly #relays: FriendRelays;
  #state: State = { kind: 'searching' };
  #standing: FriendStanding = { kind: 'sought' };
  #whereabouts: Whereabouts | undefined;
  #expiry: Timer | undefined;
  #retry: Timer | undefined;
  /** Runs out when the friend had time to answer after a disruption. */
  #patience: Timer | undefined;
  /**
   * Highest counter of an announcement that we accepted: others are replays, with which anybody who stores us could make us
   * believe that the friend has started anew. 0 again when the DHT key has expired, for the friend's clock may have been wrong.
   */
  #lastNoReplay = 0n;
  #isClosed = false;

  constructor(deps: FriendConnectionDeps, publicKey: PublicKey, handlers: FriendConnectionHandlers) {
    this.#deps = deps;
    this.publicKey = publicKey;
    this.record = new ConnectionRecord(deps.clock);
    this.#handlers = handlers;
    this.#log = deps.log.child(publicKey.short);
    this.#announcer = new Repeater(deps.clock, ANNOUNCE_GAPS, () => this.#announce());
    this.#relays = new FriendRelays({
      clock: deps.clock,
      pool: deps.relays,
      connection: () => (this.#state.kind === 'searching' ? undefined : this.#state.connection),
      endpoints: () => this.#whereabouts?.search.endpoints ?? [],
      onRelayLost: ({ publicKey: { short }, endpoint }, reason) =>
        this.record.failed(`relay ${short} at ${endpoint}: ${reason}`),
    });
    this.#search = deps.search({ onFound: (stored) => this.#onStored(stored.send) });
  }

  /** The connection, when one stands. */
  get connection(): CryptoConnection | undefined {
    return this.#state.kind === 'established' ? this.#state.connection : undefined;
  }

  get standing(): FriendStanding {
    const isForgotten = this.#standing.kind === 'found' && this.#search.storedNodes === 0;
    return isForgotten ? { kind: 'sought' } : this.#standing;
  }

  /** Searches anew, as quickly as at first; while the friend is connected, nothing happens. */
  seek(): void {
    this.#search.hurry();
    if (!this.#announcer.isRunning) return;
    this.#announcer.stop();
    this.#announcer.start();
  }

  /** Of the connection that stands, or else of the last one. */
  get traffic(): Traffic {
    return this.connection === undefined ? this.record.traffic : trafficOf(this.connection);
  }

  get sight(): FriendSight {
    const search = this.#whereabouts?.search;
    return {
      soughtSince: search?.soughtSince,
      seenSince: search?.seenSince,
      answeredAt: search?.answeredAt,
      relay: this.#relays.carrier,
      relayOwner: this.#relays.carrierOwner,
    };
  }

  /** Sends through the onion, to every node that stores the friend. @returns how many */
  sendByOnion(data: Buffer): number {
    return this.#search.send(data);
  }

  /** Our addresses have changed: a friend that has no direct way to us is told at once, the others learn it when they need it. */
  announceAgain(): void {
    if (!this.connection?.isDirect) this.#announce();
  }

  /** The friend announced its DHT key, through the onion or the DHT; it is authenticated by its real key. */
  handleAnnouncement({ noReplay, dhtKey, nodes }: DhtPublicKeyAnnouncement): void {
    if (this.#isClosed || noReplay <= this.#lastNoReplay) return;
    this.#lastNoReplay = noReplay;
    this.#standing = { kind: 'answering', since: this.#deps.clock.now() };
    const whereabouts = this.#locate(dhtKey);
    this.#connect();
    for (const node of nodes) {
      if (!node.endpoint.isUnicast) continue;
      if (node.transport === 'tcp') {
        this.#relays.learn(node);
        continue;
      }
      whereabouts?.search.learn(node);
      // The friend names itself: no need to wait for an answer to a nodes request before the first cookie request.
      if (node.publicKey.equals(dhtKey)) {
        this.#relays.learnHost(node.endpoint);
        this.#onEndpoint(node.endpoint);
      }
    }
  }

  /** The friend shook hands with us; whatever we had with it before is replaced. */
  handleOffer(offer: ConnectionOffer): void {
    if (this.#isClosed) return;
    this.#locate(offer.dhtKey);
    this.#leave('the friend has lost the connection');
    // Whoever heard that a connection was lost may have given up the friend.
    if (this.#isClosed) return;
    this.#standing = { kind: 'answering', since: this.#deps.clock.now() };
    this.#begin(offer.accept(this.#connectionHandlers()));
    for (const endpoint of this.#whereabouts?.search.endpoints ?? []) this.#onEndpoint(endpoint);
    this.#relays.join();
  }

  /** We slept, or the network has changed: finds out now whether the connection lives, or tries at once to make one. */
  refresh(): void {
    if (this.#isClosed) return;
    const state = this.#state;
    switch (state.kind) {
      case 'established':
        this.#keepAlive(state.connection);
        this.#patience?.cancel();
        this.#patience = this.#deps.clock.after(ANSWER_PATIENCE, () => this.#doubt(state.connection));
        return;
      case 'connecting':
        state.connection.noteRouteReady();
        break;
      case 'searching':
        this.#retry?.cancel();
        this.#connect();
    }
    this.#announcer.stop();
    this.#announcer.start();
  }

  /** Ends all dealings with the friend. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#patience?.cancel();
    this.#leave('closed');
    this.#forgetWhereabouts();
    this.#announcer.stop();
    this.#search.close();
  }

  /**
   * A DHT key that differs from the known one means that the friend restarted: what belongs to the old one is given up.
   * @returns undefined when that made the application close the friend
   */
  #locate(dhtKey: PublicKey): Whereabouts | undefined {
    if (!this.#whereabouts?.dhtKey.equals(dhtKey)) {
      this.#forgetWhereabouts();
      this.#leave('the friend has started anew');
      if (this.#isClosed) return undefined;
      const search = this.#deps.dht.search(dhtKey, { onEndpoint: (endpoint) => this.#onEndpoint(endpoint) });
      this.#whereabouts = { dhtKey, search };
      this.#relays.open(dhtKey);
    }
    this.#awaitExpiry();
    return this.#whereabouts;
  }

  #awaitExpiry(): void {
    this.#expiry?.cancel();
    this.#expiry = this.#deps.clock.after(DHT_KEY_LIFETIME, () => this.#expire());
  }

  /** The DHT key has not been heard of for too long. */
  #expire(): void {
    if (this.#state.kind === 'established') return;
    this.#log.debug('its DHT key is too old to be of use; searching again');
    this.#lastNoReplay = 0n;
    this.#standing = { kind: 'sought' };
    this.#forgetWhereabouts();
    this.#leave('its DHT key is too old');
  }

  #forgetWhereabouts(): void {
    this.#expiry?.cancel();
    this.#retry?.cancel();
    this.#whereabouts?.search.close();
    this.#whereabouts = undefined;
    this.#relays.close();
  }

  #connect(): void {
    if (this.#isClosed || this.#state.kind !== 'searching' || this.#whereabouts === undefined) return;
    const { dhtKey, search } = this.#whereabouts;
    this.#begin(this.#deps.netCrypto.connect({ realKey: this.publicKey, dhtKey }, this.#connectionHandlers()));
    for (const endpoint of search.endpoints) this.#onEndpoint(endpoint);
    this.#relays.join();
  }

  #begin(connection: CryptoConnection): void {
    this.#retry?.cancel();
    this.#state = { kind: 'connecting', connection };
    this.#handlers.onConnecting(connection);
    connection.sendLossless(ALIVE_PACKET, { isUrgent: true });
  }

  #onEndpoint(endpoint: Endpoint): void {
    if (this.#state.kind !== 'searching') this.#state.connection.setEndpoint(endpoint);
  }

  #connectionHandlers(): ConnectionHandlers {
    return {
      onEstablished: () => this.#onEstablished(),
      onLossless: (data) => this.#onLossless(data),
      // Upstream and we send nothing lossy.
      onLossy: () => {},
      onDrain: () => this.#handlers.onDrain(),
      onRouteChange: (route) => {
        this.#log.debug(route === undefined ? 'no way to it is known' : `packets go ${wayText(route)}`);
        if (this.#state.kind === 'established') this.#noteWay(route?.endpoint, route !== undefined);
      },
      onDirectChange: (isDirect) => this.#onDirectChange(isDirect),
      onClosed: (reason) => this.#onEnded(reason),
    };
  }

  #onDirectChange(isDirect: boolean): void {
    this.#relays.setDirect(isDirect);
    this.#whereabouts?.search.setDirect(isDirect);
  }

  #onEstablished(): void {
    if (this.#state.kind !== 'connecting') return;
    const { connection } = this.#state;
    const aliveTimer = this.#deps.clock.every(ALIVE_INTERVAL, () => this.#keepAlive(connection));
    this.#state = { kind: 'established', connection, aliveTimer };
    this.#noteWay(connection.endpoint, true);
    this.#relays.startSharing(connection);
    this.#rest();
    this.#handlers.onEstablished();
  }

  /** @param endpoint undefined over relays */
  #noteWay(endpoint: Endpoint | undefined, isThereOne: boolean): void {
    if (endpoint !== undefined) this.record.goes({ kind: 'direct', endpoint });
    else this.record.goes({ kind: isThereOne ? 'relayed' : 'none' });
  }

  #keepAlive(connection: CryptoConnection): void {
    // Any packet of the session is a sign of life here; c-toxcore counts ALIVE alone.
    const silence = this.#deps.clock.now() - connection.lastHeardAt;
    if (silence > SILENCE_LIMIT) {
      this.#leave('silent for 32 s');
      return;
    }
    connection.sendLossless(ALIVE_PACKET, { isUrgent: true });
    if (silence > DOUBT) this.#seek();
    else this.#rest();
  }

  /** The friend had time to answer. */
  #doubt(connection: CryptoConnection): void {
    if (this.connection !== connection) return;
    if (this.#deps.clock.now() - connection.lastHeardAt >= ANSWER_PATIENCE) this.#seek();
  }

  #seek(): void {
    this.#search.resume();
    this.#announcer.start();
  }

  #rest(): void {
    this.#search.pause();
    this.#announcer.stop();
  }

  #onLossless(data: Buffer): void {
    switch (data[0]) {
      case FriendKind.Alive:
        return;
      case FriendKind.ShareRelays:
        this.#relays.handleShared(data);
        return;
      default:
        this.#handlers.onLossless(data);
    }
  }

  /** Ends the connection on our own account. */
  #leave(reason: string): void {
    if (this.#state.kind === 'searching') return;
    this.#state.connection.kill();
    this.#onEnded(reason);
  }

  #onEnded(code: string): void {
    const before = this.#state;
    if (before.kind === 'searching') return;
    const reason = endingOf(before.connection, code);
    if (!this.#isClosed) this.record.failed(reason);
    this.#state = { kind: 'searching' };
    if (before.kind === 'established') {
      before.aliveTimer.cancel();
      this.#standing = { kind: 'sought' };
      this.record.ended(before.connection);
      this.#relays.stopSharing();
      if (this.#whereabouts !== undefined) this.#awaitExpiry();
      this.#handlers.onLost(reason);
    }
    if (this.#isClosed) return;
    this.#seek();
    if (this.#whereabouts !== undefined) this.#retry = this.#deps.clock.after(RETRY_DELAY, () => this.#connect());
  }

  #onStored(send: (data: Buffer) => void): void {
    // By the first node, or the first again after all had forgotten it.
    const isNew = this.#standing.kind === 'sought' || this.#search.storedNodes === 1;
    if (isNew && this.#standing.kind !== 'answering') this.#standing = { kind: 'found', since: this.#deps.clock.now() };
    this.#handlers.onReachable(send);
    send(this.#deps.announcement());
    this.#announcer.start();
  }

  /** To all who store the friend, and through the DHT once its key is known. */
  #announce(): void {
    const announcement = this.#deps.announcement();
    this.#search.send(announcement);
    if (this.#whereabouts !== undefined) this.#deps.sendByDht(this.#whereabouts.dhtKey, announcement);
  }
}

/** The key of a relay's route holds all of the friend's, which is not for the log. */
const wayText = ({ endpoint }: Route): string => (endpoint === undefined ? 'over relays' : `to ${endpoint}`);
