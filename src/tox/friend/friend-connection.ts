/**
 * The connection with one friend, of which at first only the public key is known (spec: "Friend connection"; c-toxcore
 * friend_connection.c):
 *
 *     searching    we search the onion for the friend; each node that stores it gets our DHT public key for it
 *     connecting   the friend's DHT key is known: we search the DHT for its address, and net_crypto shakes hands; once the keys of
 *                  the session are known, packets may be sent
 *     established  packets flow; ALIVE is sent every 8 s; after 32 s of silence the search begins again
 *
 * The friend's DHT key comes with its announcement, its cookie request or its handshake, whichever arrives first.
 */
import type { Clock, Timer } from '../../base/clock.js';
import type { Endpoint } from '../../base/endpoint.js';
import type { Logger } from '../../base/logger.js';
import type { PublicKey } from '../crypto/keys.js';
import type { Dht } from '../dht/dht.js';
import type { CryptoConnection } from '../net-crypto/crypto-connection.js';
import type { ConnectionOffer, NetCrypto } from '../net-crypto/net-crypto.js';
import type { Route } from '../net-crypto/path/route.js';
import type { ConnectionHandlers, Traffic } from '../net-crypto/stream/connection-host.js';
import type { FriendSearch, FriendSearchHandlers } from '../onion/friend-search.js';
import { ALIVE_PACKET } from '../packet/friend.js';
import { FriendKind } from '../packet/kind.js';
import type { NodeInfo } from '../packet/node-info.js';
import type { DhtPublicKeyAnnouncement } from '../packet/onion-data.js';
import type { RelayPool } from '../relay/relay-pool.js';
import { ConnectionRecord, closeText, routeTo } from './connection-record.js';
import { FriendDiscovery } from './friend-discovery.js';
import { FriendRelays, type RelayOwner } from './friend-relays.js';
import { FriendWhereabouts } from './friend-whereabouts.js';
import { Heartbeat } from './heartbeat.js';

/** ms from a failed attempt to connect to the next one. */
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
  /** A connection is being made; data sent now goes with its first packets. */
  onConnecting(connection: CryptoConnection): void;
  /** The keys of the session are known: data sent now goes with our handshake, or soon after it. Called once for each connection. */
  onKeys(): void;
  /** The connection is established: each side can decrypt what the other sends. */
  onEstablished(): void;
  /** The connection has ended, after `onKeys` at the earliest; the search begins by itself. */
  onLost(reason: string): void;
  /** Called with every lossless packet except ALIVE and shared relays. */
  onLossless(data: Buffer): void;
  onLossy(data: Buffer): void;
  /** There is room again after a `send` that returned false. */
  onDrain(): void;
  /** A node was found that stores the friend: the moment to send a friend request through it. */
  onReachable(send: (data: Buffer) => void): void;
  /** What is known about reaching the friend may have changed: its discovery, an address of it, or the route of its packets. */
  onProgress(): void;
}

/** What is known about reaching a friend, from which the reason for a relay is derived. Times are ms of the clock. */
export interface FriendReachability {
  /** Since when the friend's DHT key is known and its address searched for; undefined before. */
  readonly soughtSince: number | undefined;
  /** Since when an address of the friend is known, its own or a reported one. */
  readonly seenSince: number | undefined;
  /** When the friend's DHT node answered us last. */
  readonly answeredAt: number | undefined;
  /** Whether the friend's packets come by UDP, and ours do not arrive there. */
  readonly isOneWay: boolean;
  /** The relay over which packets would go. */
  readonly relay: NodeInfo | undefined;
  readonly relayOwner: RelayOwner;
}

type State =
  | { readonly kind: 'searching' }
  | { readonly kind: 'connecting'; readonly connection: CryptoConnection; readonly hasKeys: boolean }
  | { readonly kind: 'established'; readonly connection: CryptoConnection; readonly heartbeat: Heartbeat };

export class FriendConnection {
  readonly publicKey: PublicKey;
  readonly record: ConnectionRecord;
  readonly discovery: FriendDiscovery;
  readonly #deps: FriendConnectionDeps;
  readonly #handlers: FriendConnectionHandlers;
  readonly #log: Logger;
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
      search: (dhtKey) =>
        deps.dht.search(dhtKey, {
          onEndpoint: (endpoint) => this.#onEndpoint(endpoint),
          onSeen: () => handlers.onProgress(),
        }),
      isConfirmed: () => this.#state.kind === 'established',
      onExpired: () => this.#onExpired(),
    });
    this.#relays = new FriendRelays({
      clock: deps.clock,
      pool: deps.relays,
      connection: () => (this.#state.kind === 'searching' ? undefined : this.#state.connection),
      endpoints: () => this.#whereabouts.search?.endpoints ?? [],
      onRelayLost: ({ publicKey: { short }, endpoint }, reason) =>
        this.record.setError(`relay ${short} at ${endpoint}: ${reason}`),
    });
    this.discovery = new FriendDiscovery({
      clock: deps.clock,
      search: deps.search,
      announcement: deps.announcement,
      sendByDht: (announcement) => {
        const { dhtKey } = this.#whereabouts;
        if (dhtKey !== undefined) deps.sendByDht(dhtKey, announcement);
      },
      onReachable: (send) => {
        handlers.onProgress();
        handlers.onReachable(send);
      },
    });
  }

  /** The established connection, if there is one. */
  get connection(): CryptoConnection | undefined {
    return this.#state.kind === 'established' ? this.#state.connection : undefined;
  }

  /** The connection over which data can be sent, established or not yet. */
  get writable(): CryptoConnection | undefined {
    const state = this.#state;
    return state.kind === 'connecting' && state.hasKeys ? state.connection : this.connection;
  }

  /** The traffic of the established connection, or else of the last one. */
  get traffic(): Traffic {
    return this.connection?.traffic ?? this.record.traffic;
  }

  get reachability(): FriendReachability {
    const { search } = this.#whereabouts;
    return {
      soughtSince: search?.soughtSince,
      seenSince: search?.seenSince,
      answeredAt: search?.answeredAt,
      isOneWay: this.connection?.isOneWay ?? false,
      relay: this.#relays.carrier,
      relayOwner: this.#relays.carrierOwner,
    };
  }

  /** Our addresses have changed: announces them to the friend, unless it is connected directly. */
  announceAgain(): void {
    if (!this.connection?.isDirect) this.discovery.announce();
  }

  /** The friend has announced its DHT key, through the onion or the DHT, authenticated by its real key. */
  handleAnnouncement({ noReplay, dhtKey, nodes }: DhtPublicKeyAnnouncement): void {
    if (this.#isClosed || !this.#whereabouts.isNew(noReplay)) return;
    this.discovery.noteAnswer();
    this.#locate(dhtKey);
    this.#handlers.onProgress();
    this.#connect();
    for (const node of nodes) {
      if (!node.endpoint.isUnicast) continue;
      if (node.transport === 'tcp') {
        this.#relays.learn(node);
        continue;
      }
      this.#whereabouts.search?.learn(node);
      // The friend's own address: the first cookie request need not wait for an answer of the DHT.
      if (node.publicKey.equals(dhtKey)) {
        this.#relays.learnHost(node.endpoint);
        this.#onEndpoint(node.endpoint);
      }
    }
  }

  /** The friend has sent a handshake, which replaces any connection that we had. */
  handleOffer(offer: ConnectionOffer): void {
    if (this.#isClosed) return;
    this.#locate(offer.dhtKey);
    this.#leave('the friend has lost the connection');
    if (this.#isClosed) return;
    this.discovery.noteAnswer();
    this.#handlers.onProgress();
    this.#begin(offer.accept(this.#connectionHandlers()));
  }

  /** Checks the connection or tries to connect at once: we slept, or the network has changed. */
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
    this.discovery.hurryAnnouncements();
  }

  /** Ends the connection and the search permanently. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#leave('closed');
    this.#forgetWhereabouts();
    this.discovery.close();
  }

  /** The friend has this DHT key. A new one means that the friend has restarted: ends what belongs to the old one. */
  #locate(dhtKey: PublicKey): void {
    if (!this.#whereabouts.dhtKey?.equals(dhtKey)) {
      this.#forgetWhereabouts();
      this.#leave('the other side has restarted');
      // A handler of the lost connection may have closed the friend.
      if (this.#isClosed) return;
    }
    this.#whereabouts.locate(dhtKey);
    this.#relays.open(dhtKey);
  }

  /** The friend's DHT key has not been announced for too long. */
  #onExpired(): void {
    this.#log.debug('its DHT key has expired; searching again');
    this.discovery.noteLost();
    this.#forgetWhereabouts();
    this.#leave('its DHT key has expired');
    this.#handlers.onProgress();
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
    this.#state = { kind: 'connecting', connection, hasKeys: false };
    this.#handlers.onConnecting(connection);
    connection.sendLossless(ALIVE_PACKET, { isUrgent: true });
    for (const endpoint of this.#whereabouts.search?.endpoints ?? []) this.#onEndpoint(endpoint);
    this.#relays.join();
    if (connection.state === 'not-confirmed') this.#onKeys();
  }

  #onKeys(): void {
    const state = this.#state;
    if (state.kind !== 'connecting' || state.hasKeys) return;
    this.#state = { ...state, hasKeys: true };
    this.#handlers.onKeys();
  }

  #onEndpoint(endpoint: Endpoint): void {
    if (this.#state.kind !== 'searching') this.#state.connection.setEndpoint(endpoint);
  }

  #connectionHandlers(): ConnectionHandlers {
    return {
      onKeys: () => this.#onKeys(),
      onEstablished: () => this.#onEstablished(),
      onLossless: (data) => this.#onLossless(data),
      onLossy: (data) => this.#handlers.onLossy(data),
      onDrain: () => this.#handlers.onDrain(),
      onRouteChange: (route) => {
        this.#log.debug(route === undefined ? 'no route is known' : `packets go ${routeText(route)}`);
        if (this.#state.kind !== 'established') return;
        this.record.setRoute(route === undefined ? { kind: 'none' } : routeTo(route.endpoint));
        this.#handlers.onProgress();
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
      onHealthy: () => this.discovery.pause(),
      onSuspect: () => this.discovery.resume(),
      onTimeout: () => this.#leave('silent for 32 s'),
    });
    this.#state = { kind: 'established', connection, heartbeat };
    this.record.setRoute(routeTo(connection.endpoint));
    this.#handlers.onProgress();
    this.#relays.startSharing(connection);
    this.discovery.pause();
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

  /** Ends the connection from our side. */
  #leave(reason: string): void {
    if (this.#state.kind === 'searching') return;
    this.#state.connection.kill();
    this.#onEnded(reason);
  }

  #onEnded(code: string): void {
    const before = this.#state;
    if (before.kind === 'searching') return;
    const reason = closeText(before.connection, code);
    if (!this.#isClosed) this.record.setError(reason);
    this.#state = { kind: 'searching' };
    if (before.kind === 'established') {
      before.heartbeat.stop();
      this.discovery.noteLost();
      this.record.ended(before.connection);
      this.#relays.stopSharing();
      this.#whereabouts.renew();
    }
    if (before.kind === 'established' || before.hasKeys) this.#handlers.onLost(reason);
    if (this.#isClosed) return;
    this.discovery.resume();
    if (this.#whereabouts.dhtKey !== undefined)
      this.#retry = this.#deps.clock.after(RETRY_DELAY, () => this.#connect());
  }
}

/** The key of a relay route contains the friend's key, which must not be logged. */
const routeText = ({ endpoint }: Route): string => (endpoint === undefined ? 'over relays' : `to ${endpoint}`);
