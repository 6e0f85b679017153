/**
 * The relays over which one friend may be met: those that it names, and our own. Ties them to its connection, and gives the
 * connection a route over them while they are of use.
 */
import type { Clock, Timer } from '../../base/clock.js';
import type { Endpoint } from '../../base/endpoint.js';
import { LruMap } from '../../base/lru-map.js';
import type { PublicKey } from '../crypto/keys.js';
import type { CryptoConnection } from '../net-crypto/crypto-connection.js';
import { decodeSharedRelays, encodeSharedRelays, MAX_SHARED_RELAYS } from '../packet/friend.js';
import type { NodeInfo } from '../packet/node-info.js';
import type { RelayLink } from '../relay/relay-link.js';
import type { RelayPool } from '../relay/relay-pool.js';

/** Specification (MAX_FRIEND_TCP_CONNECTIONS): relays that a friend named last, kept for the next connection with it. */
const REMEMBERED = 6;

/** Implementation: addresses of the friend at which a relay of its own is looked for; its public one comes first. */
const MAX_ADDRESSES = 4;

/** Specification (c-toxcore SHARE_RELAYS_INTERVAL): relays are shared at once and then every 2 minutes, ms. */
const SHARE_INTERVAL = 120_000;

export interface FriendRelaysDeps {
  readonly clock: Clock;
  readonly pool: RelayPool;
  /** The connection with the friend that is made or stands. */
  readonly connection: () => CryptoConnection | undefined;
  /** A relay that should lead to the friend failed. */
  readonly onRelayLost: (relay: NodeInfo, reason: string) => void;
}

export class FriendRelays {
  readonly #deps: FriendRelaysDeps;
  readonly #named = new LruMap<string, NodeInfo>(REMEMBERED);
  /** Where the friend's DHT node is, by what it says and what we saw. */
  readonly #addresses = new LruMap<string, Endpoint>(MAX_ADDRESSES);
  #link: RelayLink | undefined;
  #sharing: Timer | undefined;

  constructor(deps: FriendRelaysDeps) {
    this.#deps = deps;
  }

  /** The friend's DHT key is known: it is asked for at all relays where it may be. */
  open(dhtKey: PublicKey): void {
    if (this.#link?.peer.equals(dhtKey)) return;
    this.close();
    this.#link = this.#deps.pool.link(dhtKey, {
      onUsable: () => this.join(),
      onUnusable: () => this.#deps.connection()?.removeRoute(this.#link?.route.key ?? ''),
      onDrain: () => this.#deps.connection()?.noteRouteDrained(),
      onRelayLost: (relay, reason) => this.#deps.onRelayLost(relay, reason),
    });
    for (const relay of this.#named.values()) this.#tie(relay);
  }

  /** The relay that carries packets to the friend, if any does. */
  get carrier(): NodeInfo | undefined {
    return this.#link?.carrier;
  }

  /** The friend named a relay. */
  learn(relay: NodeInfo): void {
    this.#named.set(relay.publicKey.hex, relay);
    this.#tie(relay);
  }

  /** The friend is there, or says so; and so is the relay that it may be. */
  learnAddress(endpoint: Endpoint): void {
    if (this.#addresses.get(endpoint.address) !== undefined) return;
    this.#addresses.set(endpoint.address, endpoint);
    for (const relay of this.#named.values()) if (this.#isAtFriend(relay)) this.#tie(relay);
  }

  /** Gives the connection the route over the relays, if they are of any use. */
  join(): void {
    const connection = this.#deps.connection();
    if (connection === undefined || !this.#link?.isUsable) return;
    const { route } = this.#link;
    if (connection.hasRoute(route.key)) connection.noteRouteReady();
    else connection.addRoute(route);
  }

  /** The friend is connected: it is told of our relays, which serve when UDP dies. */
  startSharing(connection: CryptoConnection): void {
    const share = (): void => {
      const relays = this.#deps.pool.meetingPlaces.slice(0, MAX_SHARED_RELAYS);
      if (relays.length > 0) connection.sendLossless(encodeSharedRelays(relays), { isUrgent: true });
    };
    this.#sharing = this.#deps.clock.every(SHARE_INTERVAL, share);
    share();
  }

  /** The connection ended. */
  stopSharing(): void {
    this.#sharing?.cancel();
    this.setDirect(false);
  }

  /** The friend told us of its relays. */
  handleShared(data: Buffer): void {
    for (const relay of decodeSharedRelays(data) ?? []) this.learn(relay);
  }

  /** The friend is reached without relays, or no longer. */
  setDirect(isDirect: boolean): void {
    this.#link?.setDirect(isDirect);
  }

  close(): void {
    this.#link?.close();
    this.#link = undefined;
    this.#addresses.clear();
  }

  #tie(relay: NodeInfo): void {
    const link = this.#link;
    if (link === undefined) return;
    if (!this.#isAtFriend(relay)) {
      link.tie(relay);
      return;
    }
    const { endpoint, publicKey } = relay;
    for (const address of this.#addresses.values()) link.tie({ publicKey, endpoint: address.withPort(endpoint.port) });
  }

  /** Who is a relay itself says so with its loopback address (c-toxcore): it is where its DHT node is. */
  #isAtFriend({ endpoint, publicKey }: NodeInfo): boolean {
    return this.#link?.peer.equals(publicKey) === true && isLoopback(endpoint);
  }
}

const isLoopback = ({ address }: Endpoint): boolean => address.startsWith('127.') || address === '::1';
