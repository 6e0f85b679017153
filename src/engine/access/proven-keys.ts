/** Keys that have come with the present secret: a stranger can make new keys, but none of these. */
import { LruMap } from '../../base/lru-map.js';
import type { PublicKey } from '../../tox/crypto/keys.js';

/** Implementation: keys remembered, four times the clients that may be here at once; some 400 KB. */
const MOST_KEYS = 2_048;

export class ProvenKeys {
  /** By public key in hex. */
  readonly #keys = new LruMap<string, string>(MOST_KEYS);

  /** @param ids public keys in hex, the newest ones last */
  constructor(ids: readonly string[] = []) {
    for (const id of ids) this.#keys.set(id, id);
  }

  has(key: PublicKey): boolean {
    return this.#keys.get(key.hex) !== undefined;
  }

  /** @returns whether it is a new one */
  add(key: PublicKey): boolean {
    const isNew = !this.has(key);
    if (isNew) this.#keys.set(key.hex, key.hex);
    return isNew;
  }

  /** Public keys in hex, those that came last at the end. */
  get ids(): readonly string[] {
    return [...this.#keys.values()];
  }
}
