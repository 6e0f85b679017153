/** The shared keys of one secret key with the peers met lately (spec: "Shared key cache"): computing one costs 50 µs. */
import { LruMap } from '../../base/lru-map.js';
import { open, sharedKey } from './box.js';
import type { PublicKey, SecretKey } from './keys.js';

/** At 32 + 32 bytes and a map entry each, under 1 MB for those whom we address and as much for all others. */
const CAPACITY = 4096;

export class SharedKeyCache {
  readonly #secretKey: SecretKey;
  /** Of those whom we address by ourselves: strangers that come in crowds do not push them out. */
  readonly #addressed: LruMap<string, Buffer>;
  readonly #met: LruMap<string, Buffer>;

  constructor(secretKey: SecretKey, capacity = CAPACITY) {
    this.#secretKey = secretKey;
    this.#addressed = new LruMap(capacity);
    this.#met = new LruMap(capacity);
  }

  /** The key shared with `publicKey`, to seal something for it. */
  get(publicKey: PublicKey): Buffer {
    const known = this.#find(publicKey);
    if (known !== undefined) return known;
    const key = sharedKey(publicKey, this.#secretKey);
    this.#addressed.set(publicKey.hex, key);
    return key;
  }

  /**
   * Opens what somebody sealed. The key of a stranger is kept once it has opened something, not before: garbage under
   * made-up keys pushes nobody out. A key that is none (its top bit is set) would be a second name of somebody: nothing opens.
   * @param mayTry bounds what strangers may cost, and is asked before one is tried; and what all others may, when one has
   *   proven to be itself: garbage that names somebody does not use up what is for them
   */
  open(publicKey: PublicKey, nonce: Buffer, sealed: Buffer, mayTry: (isKnown: boolean) => boolean): Buffer | undefined {
    if (!publicKey.isValid) return undefined;
    const known = this.#find(publicKey);
    if (known !== undefined) {
      const plain = open(known, nonce, sealed);
      return plain !== undefined && mayTry(true) ? plain : undefined;
    }
    if (!mayTry(false)) return undefined;
    const key = sharedKey(publicKey, this.#secretKey);
    const plain = open(key, nonce, sealed);
    if (plain !== undefined) this.#met.set(publicKey.hex, key);
    return plain;
  }

  #find(publicKey: PublicKey): Buffer | undefined {
    return this.#addressed.get(publicKey.hex) ?? this.#met.get(publicKey.hex);
  }
}
