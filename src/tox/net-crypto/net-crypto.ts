/**
 * The table of encrypted connections (spec: "Net crypto"): it answers cookie requests, finds the connection of each packet by
 * its source or by its key, and offers the handshakes of peers that have no connection.
 */
import type { Endpoint } from '../../base/endpoint.js';
import { MemoryBudget } from '../../base/memory-budget.js';
import { TokenBucket } from '../../base/token-bucket.js';
import type { KeyPair } from '../crypto/key-pair.js';
import { SharedKeyCache } from '../crypto/shared-key-cache.js';
import { NONCE_SIZE } from '../crypto/sodium.js';
import type { DatagramHandler } from '../network/datagram-socket.js';
import { UdpKind } from '../packet/kind.js';
import { CryptoConnection } from './crypto-connection.js';
import { CookieJar } from './handshake/cookie.js';
import { buildCookieResponse, type OpenedHandshake, openCookieRequest, openHandshake } from './handshake/handshake.js';
import { type Route, UdpRoute } from './path/route.js';
import { SavedPaths } from './path/saved-paths.js';
import type { ConnectionHandlers, ConnectionHost, PeerKeys } from './stream/connection-host.js';
import { LoopTick } from './stream/loop-tick.js';
import { PacketMemory } from './stream/packet-memory.js';

/**
 * Cookie requests and handshakes with unknown keys that are opened per second; each costs a key agreement, 60 µs. Those
 * with known keys cost 10 µs and have their own limit, so a flood of made-up keys does not delay them.
 */
const UNKNOWN_KEY_RATE = 200;
const UNKNOWN_KEY_BURST = 400;
const KNOWN_KEY_RATE = 1000;
/** Sessions tried per second for packets from unknown addresses, 2 µs each. */
const SESSION_TRY_RATE = 2000;
const SESSION_TRY_BURST = 500;
/** Shared real keys kept; only friends have one. */
const REAL_KEYS = 512;
/** Bytes that packets of all connections may hold in each direction, and the least that each connection may. */
const MEMORY = { total: 128 * 1024 * 1024, floor: 256 * 1024 };

/** The parts of ConnectionHost that net_crypto gets from outside. */
type HostDeps =
  | 'clock'
  | 'random'
  | 'log'
  | 'identity'
  | 'send'
  | 'hasUdp'
  | 'isUdpBlocked'
  | 'fragmentsMade'
  | 'mtuTowards';

interface NetCryptoDeps extends Pick<ConnectionHost<CryptoConnection>, HostDeps> {
  readonly dhtKeyPair: KeyPair;
  readonly dhtSharedKeys: SharedKeyCache;
}

/** The handshake of a peer that has no connection, or has given up its old one. */
export interface ConnectionOffer extends PeerKeys {
  readonly source: Route;
  /**
   * Answers the handshake, and replaces an older connection with the same peer. Valid only during `onOffer`.
   * @throws Error if called later, or twice
   */
  accept(handlers: ConnectionHandlers): CryptoConnection;
}

export interface NetCryptoHandlers {
  /** A handler that returns without accepting the offer declines it; then nothing is sent. */
  onOffer(offer: ConnectionOffer): void;
}

interface Binding {
  readonly connection: CryptoConnection;
  readonly route: Route;
}

export class NetCrypto {
  readonly #deps: NetCryptoDeps;
  readonly #handlers: NetCryptoHandlers;
  readonly #tick: LoopTick;
  readonly #jar: CookieJar;
  readonly #realKeys: SharedKeyCache;
  readonly #unknownKeys: TokenBucket;
  readonly #knownKeys: TokenBucket;
  readonly #sessionTries: TokenBucket;
  readonly #host: ConnectionHost<CryptoConnection>;
  /** By the peer's real key. */
  readonly #connections = new Map<string, CryptoConnection>();
  /** By the key of a route. */
  readonly #bindings = new Map<string, Binding>();
  readonly #memory = {
    received: new MemoryBudget(MEMORY),
    sent: new MemoryBudget(MEMORY),
    packets: new PacketMemory(),
  };
  #tryOffset = 0;
  #dropped = 0;
  /** Of connections that have ended. */
  #lossyDropped = 0;

  constructor(deps: NetCryptoDeps, handlers: NetCryptoHandlers) {
    this.#deps = deps;
    this.#handlers = handlers;
    const { clock, random, identity } = deps;
    const now = clock.now();
    this.#tick = new LoopTick(clock);
    this.#jar = new CookieJar(random, now);
    this.#realKeys = new SharedKeyCache(identity.secretKey, REAL_KEYS);
    this.#unknownKeys = new TokenBucket(UNKNOWN_KEY_RATE, UNKNOWN_KEY_BURST, now);
    this.#knownKeys = new TokenBucket(KNOWN_KEY_RATE, KNOWN_KEY_RATE, now);
    this.#sessionTries = new TokenBucket(SESSION_TRY_RATE, SESSION_TRY_BURST, now);
    this.#host = this.#makeHost();
  }

  /** Returns the handlers for the datagram router. */
  routes(): [number, DatagramHandler][] {
    return [
      [UdpKind.CookieRequest, (packet, source) => this.#onCookieRequest(packet, this.#udpRoute(source))],
      [UdpKind.CookieResponse, (packet, source) => this.#onCookieResponse(packet, this.#udpRoute(source))],
      [UdpKind.CryptoHandshake, (packet, source) => this.#onHandshake(packet, this.#udpRoute(source))],
      [UdpKind.CryptoData, (packet, source) => this.#onUdpData(packet, source)],
    ];
  }

  /** A packet arrived by a relay. */
  receive(packet: Buffer, source: Route): void {
    const [kind] = packet;
    if (kind === UdpKind.CookieRequest) this.#onCookieRequest(packet, source);
    else if (kind === UdpKind.CookieResponse) this.#onCookieResponse(packet, source);
    else if (kind === UdpKind.CryptoHandshake) this.#onHandshake(packet, source);
    else if (kind === UdpKind.CryptoData) this.#onData(packet, source, this.#bindings.get(source.key));
    else this.#dropped += 1;
  }

  /**
   * Connects to a peer; the handshake begins as soon as the connection is given a route.
   * @throws RangeError if there is a connection to that real key
   */
  connect(peer: PeerKeys, handlers: ConnectionHandlers): CryptoConnection {
    if (this.#connections.has(peer.realKey.hex)) {
      throw new RangeError(`NetCrypto: connected to ${peer.realKey.short} already`);
    }
    return this.#add(new CryptoConnection(this.#host, peer, handlers));
  }

  /** Packets that belonged to no connection. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Lossy packets of all connections, also of those that have ended, for which there was no room. */
  get lossyDropped(): number {
    let dropped = this.#lossyDropped;
    for (const { traffic } of this.#connections.values()) dropped += traffic.lossyDropped;
    return dropped;
  }

  /** Bytes held by packets of all connections: those that wait for earlier ones, and unacknowledged ones. */
  get heldBytes(): number {
    return this.#memory.received.used + this.#memory.sent.used;
  }

  /** Sends kill packets to all peers and closes all connections. */
  stop(): void {
    for (const connection of [...this.#connections.values()]) connection.kill();
    this.#tick.stop();
  }

  #makeHost(): ConnectionHost<CryptoConnection> {
    const { clock, log, dhtKeyPair, dhtSharedKeys } = this.#deps;
    return {
      ...this.#deps,
      log: log.child('net-crypto'),
      tick: this.#tick,
      dhtKey: dhtKeyPair.publicKey,
      memory: this.#memory,
      savedPaths: new SavedPaths(),
      dhtSecret: (dhtKey) => dhtSharedKeys.get(dhtKey),
      realSecret: (realKey) => this.#realKeys.get(realKey),
      issueCookie: ({ realKey, dhtKey }) => this.#jar.issue(realKey, dhtKey, clock.now()),
      bind: (...binding) => this.#bind(...binding),
      unbind: (route, connection) => {
        if (this.#bindings.get(route.key)?.connection === connection) this.#bindings.delete(route.key);
      },
      forget: (connection) => {
        const key = connection.realKey.hex;
        if (this.#connections.get(key) !== connection) return;
        this.#connections.delete(key);
        this.#lossyDropped += connection.traffic.lossyDropped;
      },
      isAlone: () => this.#connections.size === 1,
    };
  }

  /** An address belongs to the connection whose peer is proven to be there, whatever source the packets of others show. */
  #bind(route: Route, connection: CryptoConnection, isProven: boolean): void {
    const holder = this.#bindings.get(route.key)?.connection;
    if (isProven || holder === undefined || !holder.isAt(route.key))
      this.#bindings.set(route.key, { connection, route });
  }

  #add(connection: CryptoConnection): CryptoConnection {
    this.#connections.set(connection.realKey.hex, connection);
    return connection;
  }

  #udpRoute(source: Endpoint): Route {
    return this.#bindings.get(source.key)?.route ?? new UdpRoute(source, this.#host.send);
  }

  #onCookieRequest(packet: Buffer, source: Route): void {
    const { random, dhtSharedKeys } = this.#deps;
    const request = openCookieRequest(packet, (...box) => dhtSharedKeys.open(...box, this.#mayOpen));
    if (request === undefined) {
      this.#dropped += 1;
      return;
    }
    const cookie = this.#jar.issue(request.realKey, request.dhtKey, this.#tick.now());
    const key = dhtSharedKeys.get(request.dhtKey);
    source.send(buildCookieResponse(key, random.bytes(NONCE_SIZE), cookie, request.echo));
    this.#connections.get(request.realKey.hex)?.onProbeReceived(request.dhtKey, source, this.#tick.now());
  }

  readonly #mayOpen = (isKnown: boolean): boolean =>
    (isKnown ? this.#knownKeys : this.#unknownKeys).take(this.#tick.now());

  #onCookieResponse(packet: Buffer, source: Route): void {
    for (const connection of this.#connections.values()) {
      if (connection.receiveCookieResponse(packet, source)) return;
    }
    this.#dropped += 1;
  }

  #onHandshake(packet: Buffer, source: Route): void {
    const now = this.#tick.now();
    const handshake = openHandshake(
      packet,
      (cookie) => this.#jar.open(cookie, now),
      (...box) => this.#realKeys.open(...box, this.#mayOpen),
    );
    if (handshake === undefined) {
      this.#dropped += 1;
      return;
    }
    const existing = this.#connections.get(handshake.realKey.hex);
    const meaning = existing?.receiveHandshake(handshake, source) ?? 'another';
    if (meaning === 'outdated') this.#dropped += 1;
    else if (meaning === 'another') this.#offer(handshake, source);
  }

  #offer(handshake: OpenedHandshake, source: Route): void {
    let isOpen = true;
    this.#handlers.onOffer({
      realKey: handshake.realKey,
      dhtKey: handshake.dhtKey,
      source,
      accept: (handlers) => {
        if (!isOpen) throw new Error('ConnectionOffer: accepted too late, or twice');
        isOpen = false;
        this.#connections.get(handshake.realKey.hex)?.close('replaced');
        const peer = { realKey: handshake.realKey, dhtKey: handshake.dhtKey };
        return this.#add(new CryptoConnection(this.#host, peer, handlers, { handshake, source }));
      },
    });
    isOpen = false;
  }

  #onUdpData(packet: Buffer, source: Endpoint): void {
    const binding = this.#bindings.get(source.key);
    if (binding?.connection.receiveData(packet, binding.route, this.#tick.now())) return;
    this.#onData(packet, new UdpRoute(source, this.#host.send), undefined);
  }

  #onData(packet: Buffer, source: Route, binding: Binding | undefined): void {
    if (binding?.connection.receiveData(packet, source, this.#tick.now())) return;
    if (!this.#tryAll(packet, source)) this.#dropped += 1;
  }

  /**
   * A peer whose address has changed is recognized by its session alone. Each call begins with another connection, so all are
   * tried even when there are more of them than the rate allows.
   */
  #tryAll(packet: Buffer, source: Route): boolean {
    const now = this.#tick.now();
    if (!this.#sessionTries.take(now)) return false;
    const connections = [...this.#connections.values()];
    for (let at = 0; at < connections.length; at += 1) {
      this.#tryOffset = (this.#tryOffset + 1) % connections.length;
      const connection = connections[this.#tryOffset] as CryptoConnection;
      if (connection.receiveData(packet, source, now)) {
        // Another connection may have been bound to this address in the meantime.
        if (connection.hasRoute(source.key)) this.#bind(source, connection, false);
        return true;
      }
      if (!this.#sessionTries.take(now)) return false;
    }
    return false;
  }
}
