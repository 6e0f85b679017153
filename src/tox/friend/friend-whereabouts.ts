/** Where a friend is: its DHT key as it announced it last, for as long as that is worth something, and the search for it. */
import type { Clock, Timer } from '../../base/clock.js';
import type { PublicKey } from '../crypto/keys.js';
import type { DhtSearch } from '../dht/search/search.js';

/** Specification (c-toxcore FRIEND_DHT_TIMEOUT): a DHT key not heard of again for so long is of no use, ms. */
const DHT_KEY_LIFETIME = 122_000;

export interface FriendWhereaboutsDeps {
  readonly clock: Clock;
  /** Looks for the address of the DHT key. */
  readonly search: (dhtKey: PublicKey) => DhtSearch;
  /** Whether a connection shows that the key is right. */
  readonly isConfirmed: () => boolean;
  /** The key has not been heard of for too long, and is forgotten. */
  readonly onExpired: () => void;
}

export class FriendWhereabouts {
  readonly #deps: FriendWhereaboutsDeps;
  #known: { readonly dhtKey: PublicKey; readonly search: DhtSearch } | undefined;
  #expiry: Timer | undefined;
  /**
   * Highest counter of an announcement that we accepted: others are replays, with which anybody who stores us could make us
   * believe that the friend has started anew. 0 again when the DHT key has expired, for the friend's clock may have been wrong.
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

  /** Takes the counter of an announcement. @returns false when it is a replay, or older than another one */
  isNews(noReplay: bigint): boolean {
    if (noReplay <= this.#lastNoReplay) return false;
    this.#lastNoReplay = noReplay;
    return true;
  }

  /** The friend has this DHT key, instead of any other. */
  locate(dhtKey: PublicKey): void {
    if (this.#known?.dhtKey.equals(dhtKey) !== true) {
      this.forget();
      this.#known = { dhtKey, search: this.#deps.search(dhtKey) };
    }
    this.renew();
  }

  /** The key was heard of, or was right until now: it lives on. */
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
