/** Keys that have sent the present secret: a stranger can make new keys, but none of these. */
import type { Clock, Timer } from '../../base/clock.js';
import { messageOf } from '../../base/coded-error.js';
import type { Logger } from '../../base/logger.js';
import { LruMap } from '../../base/lru-map.js';
import { PublicKey } from '../../tox/crypto/keys.js';
import type { JsonFile, JsonFormat } from '../state/json-file.js';

/** Keys remembered, four times the clients that may be connected at once; some 400 KB. */
const MAX_KEYS = 2_048;
/** ms. Clients with the secret may come with ever new keys, so not each of them is written at once. */
const SAVE_AFTER = 10_000;

export class ProvenKeys {
  /** By public key in hex. */
  readonly #keys = new LruMap<string, string>(MAX_KEYS);

  /** @param ids public keys in hex, the latest ones last */
  constructor(ids: readonly string[] = []) {
    for (const id of ids) this.#keys.set(id, id);
  }

  has(key: PublicKey): boolean {
    return this.#keys.get(key.hex) !== undefined;
  }

  /** @returns whether the key is new */
  add(key: PublicKey): boolean {
    const isNew = !this.has(key);
    if (isNew) this.#keys.set(key.hex, key.hex);
    return isNew;
  }

  /** Public keys in hex, the latest ones last. */
  get ids(): readonly string[] {
    return [...this.#keys.values()];
  }
}

export interface ProvenState {
  /** The salt of the secret's hash, in hex: no two secrets have the same. */
  readonly secret: string;
  /** Public keys in hex, the latest ones last. */
  readonly ids: readonly string[];
}

export const NO_PROVEN: ProvenState = { secret: '', ids: [] };

/** The keys are stored over restarts; those of another secret do not count any more. */
export class StoredProvenKeys {
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #file: JsonFile<ProvenState>;
  #secret: string;
  #keys: ProvenKeys;
  #saving: Timer | undefined;

  constructor({ clock, log }: { readonly clock: Clock; readonly log: Logger }, file: JsonFile<ProvenState>) {
    this.#clock = clock;
    this.#log = log;
    this.#file = file;
    this.#secret = file.value.secret;
    this.#keys = new ProvenKeys(file.value.ids);
  }

  /** @param secret the salt of the present one, in hex */
  has(key: PublicKey, secret: string): boolean {
    return secret === this.#secret && this.#keys.has(key);
  }

  /** @param secret the salt of the present one, in hex */
  hasAny(secret: string): boolean {
    return secret === this.#secret && this.#keys.ids.length > 0;
  }

  /** @param secret the salt of the present one, in hex */
  add(key: PublicKey, secret: string): void {
    if (secret !== this.#secret) {
      this.#secret = secret;
      this.#keys = new ProvenKeys();
    }
    if (this.#keys.add(key)) this.#saving ??= this.#clock.after(SAVE_AFTER, () => this.#save());
  }

  close(): void {
    this.#saving?.cancel();
  }

  /** A failure is harmless: after a restart, the client's secret is checked as a stranger's. */
  #save(): void {
    this.#saving = undefined;
    const state = { secret: this.#secret, ids: this.#keys.ids };
    this.#file.change(() => state).catch((error: unknown) => this.#log.debug(messageOf(error)));
  }
}

export const provenFormat: JsonFormat<ProvenState> = {
  name: 'proven.json',
  version: 1,
  initial: NO_PROVEN,
  encode: ({ secret, ids }) => ({ secret, keys: ids.map((id) => id.toUpperCase()) }),
  decode: ({ secret, keys }) => {
    if (typeof secret !== 'string' || !Array.isArray(keys)) throw new Error('it has no "secret" or "keys"');
    return { secret, ids: keys.map((key) => PublicKey.parse(String(key))?.hex ?? notAKey(key)) };
  },
};

function notAKey(key: unknown): never {
  throw new Error(`${JSON.stringify(key)} is not a key`);
}
