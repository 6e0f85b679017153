/** The clients announced at this node, with the path to each (spec: "Onion announce"; c-toxcore onion_announce.c). */
import type { Endpoint } from '../../base/endpoint.js';
import { compareDistance } from '../crypto/distance.js';
import type { PublicKey } from '../crypto/keys.js';

/** Specification (c-toxcore ONION_ANNOUNCE_MAX_ENTRIES). */
export const MAX_ANNOUNCE_ENTRIES = 160;
/** Specification (c-toxcore ONION_ANNOUNCE_TIMEOUT), ms. */
const LIFETIME = 300_000;

export interface AnnounceEntry {
  readonly publicKey: PublicKey;
  /** The key for which others seal data. */
  readonly dataKey: PublicKey;
  /** The last hop of the path by which the announcement came. */
  readonly endpoint: Endpoint;
  readonly sendback: Buffer;
}

export class AnnounceStore {
  readonly #ownKey: PublicKey;
  readonly #entries = new Map<string, { readonly entry: AnnounceEntry; readonly expires: number }>();

  /** @param ownKey our DHT key: a full store drops the entries farthest from it */
  constructor(ownKey: PublicKey) {
    this.#ownKey = ownKey;
  }

  get size(): number {
    return this.#entries.size;
  }

  get(publicKey: PublicKey, now: number): AnnounceEntry | undefined {
    const found = this.#entries.get(publicKey.hex);
    return found !== undefined && found.expires > now ? found.entry : undefined;
  }

  /** Stores or refreshes, unless the store is full of keys closer to ours. */
  add(entry: AnnounceEntry, now: number): boolean {
    if (!this.#entries.has(entry.publicKey.hex) && !this.#makeRoom(entry.publicKey, now)) return false;
    this.#entries.delete(entry.publicKey.hex);
    this.#entries.set(entry.publicKey.hex, { entry, expires: now + LIFETIME });
    return true;
  }

  #makeRoom(newcomer: PublicKey, now: number): boolean {
    if (this.#entries.size < MAX_ANNOUNCE_ENTRIES) return true;
    let farthest = newcomer;
    for (const [key, { entry, expires }] of this.#entries) {
      if (expires <= now) this.#entries.delete(key);
      else if (compareDistance(this.#ownKey, entry.publicKey, farthest) > 0) farthest = entry.publicKey;
    }
    if (this.#entries.size < MAX_ANNOUNCE_ENTRIES) return true;
    return this.#entries.delete(farthest.hex);
  }
}
