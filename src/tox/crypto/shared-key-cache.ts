/** The shared keys of one secret key with the peers met lately (spec: "Shared key cache"): computing one costs 50 µs. */
import { LruMap } from '../../base/lru-map.js';
import { open, sharedKey } from './box.js';
import type { PublicKey, SecretKey } from './keys.js';

/** Implementation: at 32 + 32 bytes and a map entry each, under 1 MB. */
const CAPACITY = 4096;

export class SharedKeyCache {
  readonly #secretKey: SecretKey;
  readonly #keys: LruMap<string, Buffer>;

  constructor(secretKey: SecretKey, capacity = CAPACITY) {
    this.#secretKey = secretKey;
    this.#keys = new LruMap(capacity);
  }

  /** The key shared with `publicKey`. */
  get(publicKey: PublicKey): Buffer {
    const known = this.#keys.get(publicKey.hex);
    if (known !== undefined) return known;
    const key = sharedKey(publicKey, this.#secretKey);
    this.#keys.set(publicKey.hex, key);
    return key;
  }

  /**
   * Opens what somebody sealed. The key of a stranger is kept once it has opened something, not before: garbage under
   * made-up keys pushes nobody out.
   * @param mayTry asked first; it bounds what strangers may cost, and what all others may
   */
  open(publicKey: PublicKey, nonce: Buffer, sealed: Buffer, mayTry: (isKnown: boolean) => boolean): Buffer | undefined {
    const known = this.#keys.get(publicKey.hex);
    if (!mayTry(known !== undefined)) return undefined;
    if (known !== undefined) return open(known, nonce, sealed);
    const key = sharedKey(publicKey, this.#secretKey);
    const plain = open(key, nonce, sealed);
    if (plain !== undefined) this.#keys.set(publicKey.hex, key);
    return plain;
  }
}
