/** The shared keys of one secret key with recent peers (spec: "Shared key cache"): computing one takes 50 µs. */
import { LruMap } from '../../base/lru-map.js';
import { open, sharedKey } from './box.js';
import type { SecretKey } from './key-pair.js';
import type { PublicKey } from './keys.js';

/** Keys of either list, less than 1 MB. */
const CAPACITY = 4096;

export class SharedKeyCache {
  readonly #secretKey: SecretKey;
  /** The keys of peers to which we send: any number of strangers does not evict them. */
  readonly #addressed: LruMap<string, Buffer>;
  readonly #received: LruMap<string, Buffer>;

  constructor(secretKey: SecretKey, capacity = CAPACITY) {
    this.#secretKey = secretKey;
    this.#addressed = new LruMap(capacity);
    this.#received = new LruMap(capacity);
  }

  /** Returns the key shared with `publicKey`, to seal a packet for it. */
  get(publicKey: PublicKey): Buffer {
    const known = this.#find(publicKey);
    if (known !== undefined) return known;
    const key = sharedKey(publicKey, this.#secretKey);
    this.#addressed.set(publicKey.hex, key);
    return key;
  }

  /**
   * Opens a packet. The key of a stranger is stored only after it has opened a packet, so that garbage under made-up keys evicts
   * no peer. A key with its top bit set would be a second name of a peer, and opens nothing.
   * @param mayTry limits the cost: called before an unknown key is tried, and for a known key after its packet has opened, so that
   *   garbage that names a peer does not use up the peer's share
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
    if (plain !== undefined) this.#received.set(publicKey.hex, key);
    return plain;
  }

  #find(publicKey: PublicKey): Buffer | undefined {
    return this.#addressed.get(publicKey.hex) ?? this.#received.get(publicKey.hex);
  }
}
