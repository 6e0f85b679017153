/** The shared secret of a daemon: the one that the settings give, or else the stored one. */
import type { Clock } from '../../base/clock.js';
import type { Logger } from '../../base/logger.js';
import type { Random } from '../../base/random.js';
import type { PublicKey } from '../../tox/crypto/keys.js';
import type { JsonFile } from '../state/json-file.js';
import { ProvenKeys, type ProvenState, StoredProvenKeys } from './proven-keys.js';
import { FixedSecretCheck, type SecretCheck, StoredSecretCheck } from './secret-check.js';
import { SlowChecks } from './slow-checks.js';
import { hashSecret, NO_SECRET, type SecretState } from './stored-secret.js';

export interface SecretChange {
  /** s for which the old secret stays valid beside the new one. */
  readonly grace: number;
  /** Whether clients that used the old secret are disconnected. */
  readonly dropSessions: boolean;
  /** Whether it was generated, of 160 random bits or more; default false. */
  readonly isGenerated?: boolean;
}

interface Deps {
  readonly clock: Clock;
  readonly log: Logger;
  readonly random: Random;
}

export class Secrets {
  readonly #deps: Deps;
  readonly #file: JsonFile<SecretState>;
  readonly #storedCheck: StoredSecretCheck;
  readonly #storedProven: StoredProvenKeys;
  #given: { readonly check: FixedSecretCheck; readonly proven: ProvenKeys } | undefined;
  /** Increases when a given secret replaces another one. */
  #replaced = 0;

  constructor(deps: Deps, parts: { readonly secret: JsonFile<SecretState>; readonly proven: JsonFile<ProvenState> }) {
    this.#deps = deps;
    this.#file = parts.secret;
    this.#storedProven = new StoredProvenKeys(deps, parts.proven);
    this.#storedCheck = new StoredSecretCheck({
      random: deps.random,
      slowChecks: new SlowChecks(),
      state: () => parts.secret.value,
      unixTime: () => deps.clock.unixTime(),
    });
  }

  get check(): SecretCheck | undefined {
    return this.#given?.check ?? this.checkWith(undefined);
  }

  /** Clients that used a secret of an earlier generation are disconnected. */
  get generation(): number {
    return this.#file.value.generation + this.#replaced;
  }

  get state(): SecretState {
    return this.#given === undefined ? this.#file.value : NO_SECRET;
  }

  get isGiven(): boolean {
    return this.#given !== undefined;
  }

  hasProven(key: PublicKey): boolean {
    return this.#given?.proven.has(key) ?? this.#storedProven.has(key, this.#token);
  }

  /** Whether a client has used the present secret. */
  get hasBeenUsed(): boolean {
    return this.#given === undefined ? this.#storedProven.hasAny(this.#token) : this.#given.proven.ids.length > 0;
  }

  noteProven(key: PublicKey): void {
    if (this.#given === undefined) this.#storedProven.add(key, this.#token);
    else this.#given.proven.add(key);
  }

  /** Whether another secret would replace the present one. @param given undefined for the stored one */
  willReplace(given: Buffer | undefined): boolean {
    if (this.check === undefined || (given === undefined && this.#given === undefined)) return false;
    return given === undefined || this.check.compare(given) !== 'right';
  }

  /** Returns the check of a secret. @param given undefined for the stored one */
  checkWith(given: Buffer | undefined): SecretCheck | undefined {
    if (given !== undefined) return new FixedSecretCheck(this.#deps.random, given);
    return this.#file.value.current === undefined ? undefined : this.#storedCheck;
  }

  /** Applies settings. @param given undefined for the stored secret */
  use(given: Buffer | undefined): void {
    if (given !== undefined && this.#given?.check.compare(given) === 'right') return;
    if (this.willReplace(given)) this.#replaced += 1;
    this.#given =
      given === undefined
        ? undefined
        : { check: new FixedSecretCheck(this.#deps.random, given), proven: new ProvenKeys() };
  }

  /** Changes the stored secret. @param secret undefined for none from now on @throws StateFileError; then nothing has changed */
  async set(secret: Buffer | undefined, { grace, dropSessions, isGenerated = false }: SecretChange): Promise<void> {
    const { clock, random } = this.#deps;
    const current = secret === undefined ? undefined : await hashSecret(random, secret, isGenerated);
    const now = clock.unixTime();
    if (secret !== undefined && current !== undefined) this.#storedCheck.learn(secret, current);
    await this.#file.change((state) => ({
      current,
      old: state.current !== undefined && grace > 0 ? { hash: state.current, validUntil: now + grace } : undefined,
      changedAt: now,
      generation: state.generation + (dropSessions ? 1 : 0),
    }));
  }

  close(): void {
    this.#storedProven.close();
  }

  get #token(): string {
    return this.#file.value.current?.salt.toString('hex') ?? '';
  }
}
