/** What sessions learned about the paths to their peers, kept some minutes for later sessions (RFC 9959). */
import type { Endpoint } from '../../../base/endpoint.js';
import type { PublicKey } from '../../crypto/keys.js';
import type { SavedPath } from '../congestion/careful-resume.js';

/** ms for which a saved path is valid; its other traffic changes with time. */
const LIFETIME = 600_000;
/** Most paths that are kept, those saved last; about 200 bytes each. */
const MAX_PATHS = 512;

export class SavedPaths {
  /** In the order in which they were saved. */
  readonly #paths = new Map<string, { readonly path: SavedPath; readonly savedAt: number }>();

  save(peer: PublicKey, endpoint: Endpoint, path: SavedPath, now: number): void {
    const key = keyOf(peer, endpoint);
    this.#paths.delete(key);
    this.#paths.set(key, { path, savedAt: now });
    if (this.#paths.size <= MAX_PATHS) return;
    const [oldest] = this.#paths.keys();
    this.#paths.delete(oldest as string);
  }

  find(peer: PublicKey, endpoint: Endpoint, now: number): SavedPath | undefined {
    const saved = this.#paths.get(keyOf(peer, endpoint));
    return saved !== undefined && now - saved.savedAt <= LIFETIME ? saved.path : undefined;
  }
}

/** A restarted peer has another port. */
const keyOf = (peer: PublicKey, { address }: Endpoint): string => `${peer.hex} ${address}`;
