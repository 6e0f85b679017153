/**
 * One friend, from a bare public key to a living connection (spec: "Friend connection"; c-toxcore friend_connection.c):
 *
 *     searching    the onion is asked where the friend is announced; each node that stores it gets our DHT public key
 *     connecting   the friend's DHT key is known: the DHT looks for its address, net_crypto shakes hands
 *     established  packets flow; ALIVE every 8 s; after 32 s without a word the connection is given up and all begins again
 *
 * Whatever comes first moves it on: an announcement of the friend's DHT key, its cookie request, its handshake.
 */
import type { Clock, Timer } from '../../base/clock.js';
import type { Endpoint } from '../../base/endpoint.js';
import type { Logger } from '../../base/logger.js';
import type { PublicKey } from '../crypto/keys.js';
import type { Dht } from '../dht/dht.js';
import type { DhtSearch } from '../dht/search/search.js';
import type { ConnectionHandlers, Traffic } from '../net-crypto/connection-host.js';
import type { CryptoConnection } from '../net-crypto/crypto-connection.js';
import type { ConnectionOffer, NetCrypto } from '../net-crypto/net-crypto.js';
import type { Route } from '../net-crypto/route.js';
import type { FriendSearch, FriendSearchHandlers } from '../onion/friend-search.js';
import { ALIVE_PACKET } from '../packet/friend.js';
import { FriendKind } from '../packet/kind.js';
import type { NodeInfo } from '../packet/node-info.js';
import type { DhtPublicKeyAnnouncement } from '../packet/onion-data.js';
import type { RelayPool } from '../relay/relay-pool.js';
import { ConnectionRecord, endingOf, wayTo } from './connection-record.js';
import { type DiscoveryState, FriendDiscovery } from './friend-discovery.js';
import { FriendRelays, type RelayOwner } from './friend-relays.js';
import { FriendWhereabouts } from './friend-whereabouts.js';
import { Heartbeat } from './heartbeat.js';

/** An attempt to connect that failed is followed by the next one after so long. */
const RETRY_DELAY = 1_000;

export interface FriendConnectionDeps {
  readonly clock: Clock;
  readonly log: Logger;
  readonly dht: Dht;
  readonly netCrypto: NetCrypto;
  /** Opens the search for the friend in the onion. */
  readonly search: (handlers: FriendSearchHandlers) => FriendSearch;
  /** Our current announcement, as bytes of onion data. */
  readonly announcement: () => Buffer;
  /** Sends onion data as a DHT request to the friend's DHT key. */
  readonly sendByDht: (dhtKey: PublicKey, data: Buffer) => void;
  readonly relays: RelayPool;
}

export interface FriendConnectionHandlers {
  /** A connection is being made; what is sent into it now goes with its first packets. */
  onConnecting(connection: CryptoConnection): void;
  /** The connection is established: each side can decrypt what the other sends. */
  onEstablished(): void;
  /** It ended; the search goes on by itself. */
  onLost(reason: string): void;
  /** Everything lossless but ALIVE and shared relays. */
  onLossless(data: Buffer): void;
  /** There is room again after a `send` that returned false. */
  onDrain(): void;
  /** A node was found that stores the friend: the moment to send a friend request through it. */
  onReachable(send: (data: Buffer) => void): void;
}

/** What is known of the path to a friend, from which the reason for a relay is judged. Times are ms of the clock. */
export interface FriendReachability {
  /** Since when its DHT key is known, and its address asked for; undefined while it is not. */
  readonly soughtSince: number | undefined;
  /** Since when it is known to have UDP. */
  readonly seenSince: number | undefined;
  /** When its DHT node answered us by UDP last. */
  readonly answeredAt: number | undefined;
  /** Whether its packets come by UDP, and ours do not arrive there. */
  readonly isOneWay: boolean;
  /** The relay over which packets would go. */
  readonly relay: NodeInfo | undefined;
  readonly relayOwner: RelayOwner;
}

type State =
  | { readonly kind: 'searching' }
  | { readonly kind: 'connecting'; readonly connection: CryptoConnection }
  | { readonly kind: 'established'; readonly connection: CryptoConnection; readonly heartbeat: Heartbeat };

export class FriendConnection {
  readonly publicKey: PublicKey;
  readonly record: ConnectionRecord;
  readonly #deps: FriendConnectionDeps;
  readonly #handlers: FriendConnectionHandlers;
  readonly #log: Logger;
  readonly #discovery: FriendDiscovery;
  readonly #whereabouts: FriendWhereabouts;
  readonly #relays: FriendRelays;
  #state: State = { kind: 'searching' };
  #retry: Timer | undefined;
  #isClosed = false;

  constructor(deps: FriendConnectionDeps, publicKey: PublicKey, handlers: FriendConnectionHandlers) {
    this.#deps = deps;
    this.publicKey = publicKey;
    this.record = new ConnectionRecord(deps.clock);
    this.#handlers = handlers;
    this.#log = deps.log.child(publicKey.short);
    this.#whereabouts = new FriendWhereabouts({
      clock: deps.clock,
      search: (dhtKey) => deps.dht.search(dhtKey, { onEndpoint: (endpoint) => this.#onEndpoint(endpoint) }),
      isConfirmed: () => this.#state.kind === 'established',
      onExpired: () => this.#onExpired(),
    });
    this.#relays = new FriendRelays({
      clock: deps.clock,
      pool: deps.relays,
      connection: () => (this.#state.kind === 'searching' ? undefined : this.#state.connection),
      endpoints: () => this.#whereabouts.search?.endpoints ?? [],
      onRelayLost: ({ publicKey: { short }, endpoint }, reason) =>
        this.record.setFailure(`relay ${short} at ${endpoint}: ${reason}`),
    });
    this.#discovery = new FriendDiscovery({
      clock: deps.clock,
      search: deps.search,
      announcement: deps.announcement,
      sendByDht: (announcement) => {
        const { dhtKey } = this.#whereabouts;
        if (dhtKey !== undefined) deps.sendByDht(dhtKey, announcement);
      },
      onReachable: (send) => handlers.onReachable(send),
    });
  }

  /** The connection, when one stands. */
  get connection(): CryptoConnection | undefined {
    return this.#state.kind === 'established' ? this.#state.connection : undefined;
  }

  get standing(): DiscoveryState {
    return this.#discovery.standing;
  }

  /** Searches again, as quickly as at first; does nothing while the friend is connected. */
  seek(): void {
    this.#discovery.restart();
  }

  /** The traffic of the established connection, or else of the last one. */
  get traffic(): Traffic {
    return this.connection?.traffic ?? this.record.traffic;
  }

  get reachability(): FriendReachability {
    return reachabilityOf(this.#whereabouts.search, this.#relays, this.connection?.isOneWay ?? false);
  }

  /** Sends through the onion, to every node that stores the friend. @returns how many */
  sendByOnion(data: Buffer): number {
    return this.#discovery.send(data);
  }

  /** Our addresses have changed: a friend that has no direct way to us is told at once, the others learn it when they need it. */
  announceAgain(): void {
    if (!this.connection?.isDirect) this.#discovery.announce();
  }

  /** The friend announced its DHT key, through the onion or the DHT; it is authenticated by its real key. */
  handleAnnouncement({ noReplay, dhtKey, nodes }: DhtPublicKeyAnnouncement): void {
    if (this.#isClosed || !this.#whereabouts.isNews(noReplay)) return;
    this.#discovery.noteAnswer();
    this.#locate(dhtKey);
    this.#connect();
    for (const node of nodes) {
      if (!node.endpoint.isUnicast) continue;
      if (node.transport === 'tcp') {
        this.#relays.learn(node);
        continue;
      }
      this.#whereabouts.search?.learn(node);
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
    if (this.#isClosed) return;
    this.#discovery.noteAnswer();
    this.#begin(offer.accept(this.#connectionHandlers()));
  }

  /** We slept, or the network has changed: finds out now whether the connection lives, or tries at once to make one. */
  refresh(): void {
    if (this.#isClosed) return;
    const state = this.#state;
    switch (state.kind) {
      case 'established':
        state.heartbeat.check();
        return;
      case 'connecting':
        state.connection.onRouteReady();
        break;
      case 'searching':
        this.#retry?.cancel();
        this.#connect();
    }
    this.#discovery.hurryAnnouncements();
  }

  /** Ends all dealings with the friend. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#leave('closed');
    this.#forgetWhereabouts();
    this.#discovery.close();
  }

  /** A DHT key that differs from the known one means that the friend restarted: what belongs to the old one is given up. */
  #locate(dhtKey: PublicKey): void {
    if (!this.#whereabouts.dhtKey?.equals(dhtKey)) {
      this.#forgetWhereabouts();
      this.#leave('the other side was restarted');
      // Whoever heard that a connection was lost may have given up the friend.
      if (this.#isClosed) return;
    }
    this.#whereabouts.locate(dhtKey);
    this.#relays.open(dhtKey);
  }

  /** The DHT key has not been heard of for too long. */
  #onExpired(): void {
    this.#log.debug('its DHT key is too old; searching again');
    this.#discovery.noteLost();
    this.#forgetWhereabouts();
    this.#leave('its DHT key is too old');
  }

  #forgetWhereabouts(): void {
    this.#retry?.cancel();
    this.#whereabouts.forget();
    this.#relays.close();
  }

  #connect(): void {
    if (this.#isClosed || this.#state.kind !== 'searching') return;
    const { dhtKey } = this.#whereabouts;
    if (dhtKey === undefined) return;
    this.#begin(this.#deps.netCrypto.connect({ realKey: this.publicKey, dhtKey }, this.#connectionHandlers()));
  }

  #begin(connection: CryptoConnection): void {
    this.#retry?.cancel();
    this.#state = { kind: 'connecting', connection };
    this.#handlers.onConnecting(connection);
    connection.sendLossless(ALIVE_PACKET, { isUrgent: true });
    for (const endpoint of this.#whereabouts.search?.endpoints ?? []) this.#onEndpoint(endpoint);
    this.#relays.join();
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
        this.#log.debug(route === undefined ? 'no route to it is known' : `packets go ${wayText(route)}`);
        if (this.#state.kind !== 'established') return;
        this.record.setRoute(route === undefined ? { kind: 'none' } : wayTo(route.endpoint));
      },
      onDirectChange: (isDirect) => {
        this.#relays.setDirect(isDirect);
        this.#whereabouts.search?.setDirect(isDirect);
      },
      onClosed: (reason) => this.#onEnded(reason),
    };
  }

  #onEstablished(): void {
    if (this.#state.kind !== 'connecting') return;
    const { connection } = this.#state;
    const heartbeat = new Heartbeat({
      clock: this.#deps.clock,
      connection,
      onHealthy: () => this.#discovery.pause(),
      onSuspect: () => this.#discovery.resume(),
      onTimeout: () => this.#leave('silent for 32 s'),
    });
    this.#state = { kind: 'established', connection, heartbeat };
    this.record.setRoute(wayTo(connection.endpoint));
    this.#relays.startSharing(connection);
    this.#discovery.pause();
    this.#handlers.onEstablished();
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
    if (!this.#isClosed) this.record.setFailure(reason);
    this.#state = { kind: 'searching' };
    if (before.kind === 'established') {
      before.heartbeat.stop();
      this.#discovery.noteLost();
      this.record.ended(before.connection);
      this.#relays.stopSharing();
      this.#whereabouts.renew();
      this.#handlers.onLost(reason);
    }
    if (this.#isClosed) return;
    this.#discovery.resume();
    if (this.#whereabouts.dhtKey !== undefined)
      this.#retry = this.#deps.clock.after(RETRY_DELAY, () => this.#connect());
  }
}

/** The key of a relay's route holds all of the friend's, which is not for the log. */
const wayText = ({ endpoint }: Route): string => (endpoint === undefined ? 'over relays' : `to ${endpoint}`);

/** @param search for its DHT key; undefined while that is not known */
function reachabilityOf(search: DhtSearch | undefined, relays: FriendRelays, isOneWay: boolean): FriendReachability {
  return {
    soughtSince: search?.soughtSince,
    seenSince: search?.seenSince,
    answeredAt: search?.answeredAt,
    isOneWay,
    relay: relays.carrier,
    relayOwner: relays.carrierOwner,
  };
}
