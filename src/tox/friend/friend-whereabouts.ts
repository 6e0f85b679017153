/** The DHT key that a friend announced last, until it expires, and the search for its address. */
import type { Clock, Timer } from '../../base/clock.js';
import type { PublicKey } from '../crypto/keys.js';
import type { DhtSearch } from '../dht/search/search.js';

/** Specification (c-toxcore FRIEND_DHT_TIMEOUT): ms until a DHT key expires unless it is announced again. */
const DHT_KEY_LIFETIME = 122_000;

export interface FriendWhereaboutsDeps {
  readonly clock: Clock;
  /** Starts the search for the address of a DHT key. */
  readonly search: (dhtKey: PublicKey) => DhtSearch;
  /** Whether a connection shows that the key is still valid. */
  readonly isConfirmed: () => boolean;
  /** The key has expired and is forgotten. */
  readonly onExpired: () => void;
}

export class FriendWhereabouts {
  readonly #deps: FriendWhereaboutsDeps;
  #known: { readonly dhtKey: PublicKey; readonly search: DhtSearch } | undefined;
  #expiry: Timer | undefined;
  /**
   * The highest counter of an accepted announcement. Lower ones are replays, with which a node that stores us could pretend that the
   * friend has restarted. Reset when the DHT key expires, since the friend's clock may have been wrong.
   */
  #lastNoReplay = 0n;

  constructor(deps: FriendWhereaboutsDeps) {
    this.#deps = deps;
  }

  get dhtKey(): PublicKey | undefined {
    return this.#known?.dhtKey;
  }

  get search(): DhtSearch | undefined {
    return this.#known?.search;
  }

  /** Takes the counter of an announcement. @returns false for a replay, or an older announcement */
  isNew(noReplay: bigint): boolean {
    if (noReplay <= this.#lastNoReplay) return false;
    this.#lastNoReplay = noReplay;
    return true;
  }

  /** The friend has this DHT key now. */
  locate(dhtKey: PublicKey): void {
    if (this.#known?.dhtKey.equals(dhtKey) !== true) {
      this.forget();
      this.#known = { dhtKey, search: this.#deps.search(dhtKey) };
    }
    this.renew();
  }

  /** The key was confirmed: it expires later. */
  renew(): void {
    this.#expiry?.cancel();
    if (this.#known !== undefined) this.#expiry = this.#deps.clock.after(DHT_KEY_LIFETIME, () => this.#expire());
  }

  forget(): void {
    this.#expiry?.cancel();
    this.#known?.search.close();
    this.#known = undefined;
  }

  #expire(): void {
    if (this.#deps.isConfirmed()) return;
    this.#lastNoReplay = 0n;
    this.forget();
    this.#deps.onExpired();
  }
}
