/** The keys that have come with the present secret, kept over restarts; those of another secret count no more. */
import type { Clock, Timer } from '../../base/clock.js';
import { messageOf } from '../../base/coded-error.js';
import type { Logger } from '../../base/logger.js';
import { PublicKey } from '../../tox/crypto/keys.js';
import type { JsonFile, JsonFormat } from '../state/json-file.js';
import { ProvenKeys } from './proven-keys.js';

/** Implementation: ms; who has the secret may come with ever new keys, which is no reason to write for each. */
const SAVE_AFTER = 10_000;

export interface ProvenState {
  /** The salt of the secret's hash, in hex: no two secrets have the same. */
  readonly secret: string;
  /** Public keys in hex, those that came last at the end. */
  readonly ids: readonly string[];
}

export const NO_PROVEN: ProvenState = { secret: '', ids: [] };

export class KeptProvenKeys {
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #kept: JsonFile<ProvenState>;
  #secret: string;
  #keys: ProvenKeys;
  #saving: Timer | undefined;

  constructor({ clock, log }: { readonly clock: Clock; readonly log: Logger }, kept: JsonFile<ProvenState>) {
    this.#clock = clock;
    this.#log = log;
    this.#kept = kept;
    this.#secret = kept.value.secret;
    this.#keys = new ProvenKeys(kept.value.ids);
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

  /** Nothing depends on it: without it, who comes back after a restart waits as a stranger does. */
  #save(): void {
    this.#saving = undefined;
    const state = { secret: this.#secret, ids: this.#keys.ids };
    this.#kept.change(() => state).catch((error: unknown) => this.#log.debug(messageOf(error)));
  }
}

export const provenFormat: JsonFormat<ProvenState> = {
  name: 'proven.json',
  version: 1,
  initial: NO_PROVEN,
  encode: ({ secret, ids }) => ({ secret, keys: ids.map((id) => id.toUpperCase()) }),
  decode: ({ secret, keys }) => {
    if (typeof secret !== 'string' || !Array.isArray(keys)) throw new Error('it has no "secret" or "keys"');
    return { secret, ids: keys.map((key) => PublicKey.parse(String(key))?.hex ?? fault(key)) };
  },
};

function fault(key: unknown): never {
  throw new Error(`${JSON.stringify(key)} is no key`);
}
