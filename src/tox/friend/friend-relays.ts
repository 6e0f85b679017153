/**
 * The relays over which one friend may be reached: those that it names, and our own. Ties them to its connection, and gives the
 * connection a route over them while they are usable.
 */
import type { Clock, Timer } from '../../base/clock.js';
import type { Endpoint } from '../../base/endpoint.js';
import { LruMap } from '../../base/lru-map.js';
import { TokenBucket } from '../../base/token-bucket.js';
import type { PublicKey } from '../crypto/keys.js';
import type { CryptoConnection } from '../net-crypto/crypto-connection.js';
import { decodeSharedRelays, encodeSharedRelays, MAX_SHARED_RELAYS } from '../packet/friend.js';
import type { NodeInfo } from '../packet/node-info.js';
import type { RelayLink } from '../relay/relay-link.js';
import type { RelayPool } from '../relay/relay-pool.js';

/** Specification (MAX_FRIEND_TCP_CONNECTIONS): relays named last by a friend, remembered for the next connection with it. */
const REMEMBERED = 6;
/** Specification (c-toxcore SHARE_RELAYS_INTERVAL): relays are shared at once and then every 2 minutes, ms. */
const SHARE_INTERVAL = 120_000;
/** Addresses named by the friend at which its own relay may be. */
const MAX_HOSTS = 4;
/** New relays that a friend may name at once, and each second; an honest friend names four every 2 minutes. */
const NEW_RELAYS_BURST = 16;
const NEW_RELAYS_RATE = 1 / 8;

export type RelayOwner = 'peer' | 'us' | 'others';

export interface FriendRelaysDeps {
  readonly clock: Clock;
  readonly pool: RelayPool;
  /** Returns the connection with the friend, being made or established. */
  readonly connection: () => CryptoConnection | undefined;
  /** Returns the addresses where the friend's DHT node has answered. */
  readonly endpoints: () => readonly Endpoint[];
  /** A relay tied to the friend has failed. */
  readonly onRelayLost: (relay: NodeInfo, reason: string) => void;
}

export class FriendRelays {
  readonly #deps: FriendRelaysDeps;
  readonly #named = new LruMap<string, NodeInfo>(REMEMBERED);
  /** Addresses named by the friend, by host; without UDP there is no other way to learn them. */
  readonly #hosts = new LruMap<string, Endpoint>(MAX_HOSTS);
  readonly #newRelays: TokenBucket;
  #link: RelayLink | undefined;
  #sharing: Timer | undefined;

  constructor(deps: FriendRelaysDeps) {
    this.#deps = deps;
    this.#newRelays = new TokenBucket(NEW_RELAYS_RATE, NEW_RELAYS_BURST, deps.clock.now());
  }

  /** The friend's DHT key is known: asks for it at all relays where the friend may be. */
  open(dhtKey: PublicKey): void {
    if (this.#link?.peer.equals(dhtKey)) return;
    this.close();
    this.#hosts.clear();
    this.#link = this.#deps.pool.link(dhtKey, {
      onUsable: () => this.join(),
      onUnusable: () => this.#deps.connection()?.removeRoute(this.#link?.route.key ?? ''),
      onDrain: () => this.#deps.connection()?.onRouteDrained(),
      onRelayLost: (relay, reason) => {
        this.#deps.connection()?.onPathLost();
        this.#deps.onRelayLost(relay, reason);
      },
    });
    for (const relay of this.#named.values()) this.#tie(relay);
  }

  /** The relay that carries packets to the friend, if any does. */
  get carrier(): NodeInfo | undefined {
    return this.#link?.carrier;
  }

  /** The owner of that relay; over the friend's own relay or ours no third machine is between us. */
  get carrierOwner(): RelayOwner {
    const { carrier } = this;
    if (carrier?.publicKey.equals(this.#link?.peer as PublicKey)) return 'peer';
    return carrier?.endpoint.isLoopback ? 'us' : 'others';
  }

  /** The friend has named a relay. */
  learn(relay: NodeInfo): void {
    const isKnown = this.#named.get(relay.publicKey.hex)?.endpoint.equals(relay.endpoint) === true;
    if (!isKnown && !this.#newRelays.take(this.#deps.clock.now())) return;
    this.#named.set(relay.publicKey.hex, relay);
    this.#tie(relay);
  }

  /** The friend has named an address of its own. */
  learnHost(endpoint: Endpoint): void {
    this.#hosts.set(endpoint.address, endpoint);
    const own = this.#link && this.#named.get(this.#link.peer.hex);
    if (own !== undefined) this.#tie(own);
  }

  /** Gives the connection the route over the relays if they are usable. */
  join(): void {
    const connection = this.#deps.connection();
    if (connection === undefined || !this.#link?.isUsable) return;
    const { route } = this.#link;
    if (connection.hasRoute(route.key)) connection.onRouteReady();
    else connection.addRoute(route);
  }

  /** The friend is connected: shares our relays with it, which are used when UDP fails. */
  startSharing(connection: CryptoConnection): void {
    const share = (): void => {
      // All of them, our own relay included, in two packets if needed (c-toxcore sends the next ones 2 minutes later).
      const relays = this.#deps.pool.meetingPlaces;
      for (let at = 0; at < relays.length; at += MAX_SHARED_RELAYS) {
        connection.sendLossless(encodeSharedRelays(relays.slice(at, at + MAX_SHARED_RELAYS)), { isUrgent: true });
      }
    };
    this.#sharing = this.#deps.clock.every(SHARE_INTERVAL, share);
    share();
  }

  /** The connection has ended. */
  stopSharing(): void {
    this.#sharing?.cancel();
    this.setDirect(false);
  }

  /** The friend has shared its relays. */
  handleShared(data: Buffer): void {
    for (const relay of decodeSharedRelays(data) ?? []) this.learn(relay);
  }

  /** Notes whether the friend is reached without relays. */
  setDirect(isDirect: boolean): void {
    this.#link?.setDirect(isDirect);
  }

  close(): void {
    this.#link?.close();
    this.#link = undefined;
  }

  #tie(relay: NodeInfo): void {
    const link = this.#link;
    if (link === undefined) return;
    const { endpoint, publicKey } = relay;
    // For a home relay our own address of it is used: made-up ones would take 10 s each when we lose the relay.
    const home = this.#deps.pool.homes.find((known) => known.publicKey.equals(publicKey));
    if (home !== undefined) {
      link.tie(home);
      return;
    }
    // A friend names its own relay with a loopback address (c-toxcore): it is at the address of its DHT node.
    const isAtItsHosts = publicKey.equals(link.peer) && endpoint.isLoopback;
    const hosts = isAtItsHosts ? [...this.#deps.endpoints(), ...this.#hosts.values()] : [endpoint];
    for (const host of hosts) {
      if (host.isLoopback && !this.#isOnThisMachine) continue;
      link.tie({ publicKey, endpoint: host.withPort(endpoint.port) });
    }
  }

  /** Whether the friend or the network is on this machine; otherwise a friend could make us connect to local services. */
  get #isOnThisMachine(): boolean {
    const homes = this.#deps.pool.homes.map(({ endpoint }) => endpoint);
    return [...this.#deps.endpoints(), ...homes].some(({ isLoopback }) => isLoopback);
  }
}
