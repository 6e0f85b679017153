/** What a friend connection needs of whoever makes it, and what it tells in return. */
import type { Clock } from '../../base/clock.js';
import type { Logger } from '../../base/logger.js';
import type { PublicKey } from '../crypto/keys.js';
import type { Dht } from '../dht/dht.js';
import type { CryptoConnection } from '../net-crypto/crypto-connection.js';
import type { NetCrypto } from '../net-crypto/net-crypto.js';
import type { FriendSearch, FriendSearchHandlers } from '../onion/friend-search.js';
import type { RelayPool } from '../relay/relay-pool.js';

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
  /** It stands: the friend can read us, and we can read the friend. */
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
