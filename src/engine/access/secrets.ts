/** The shared secret of a daemon: the one that a file or a credential brings, or else the one that is kept. */
import type { Clock } from '../../base/clock.js';
import type { Logger } from '../../base/logger.js';
import type { Random } from '../../base/random.js';
import type { PublicKey } from '../../tox/crypto/keys.js';
import type { JsonFile } from '../state/json-file.js';
import { ProvenKeys, type ProvenState, StoredProvenKeys } from './proven-keys.js';
import type { SecretCheck } from './secret-check.js';
import { FixedSecretCheck, StoredSecretCheck } from './secret-check.js';
import { SlowChecks } from './slow-checks.js';
import { hashSecret, NO_SECRET, type SecretState } from './stored-secret.js';

export interface SecretChange {
  /** s for which the old one stays valid beside the new one. */
  readonly grace: number;
  /** Whether those who came by the old one have to go. */
  readonly dropSessions: boolean;
  /** Whether we have made it, of 160 random bits or more; default false. */
  readonly isGenerated?: boolean;
}

interface Deps {
  readonly clock: Clock;
  readonly log: Logger;
  readonly random: Random;
}

export class Secrets {
  readonly #deps: Deps;
  readonly #kept: JsonFile<SecretState>;
  readonly #keptCheck: StoredSecretCheck;
  readonly #keptProven: StoredProvenKeys;
  #given: { readonly check: FixedSecretCheck; readonly proven: ProvenKeys } | undefined;
  /** Counts up when what the settings bring takes the place of another one. */
  #replaced = 0;

  constructor(deps: Deps, parts: { readonly secret: JsonFile<SecretState>; readonly proven: JsonFile<ProvenState> }) {
    this.#deps = deps;
    this.#kept = parts.secret;
    this.#keptProven = new StoredProvenKeys(deps, parts.proven);
    this.#keptCheck = new StoredSecretCheck({
      random: deps.random,
      slowChecks: new SlowChecks(),
      state: () => parts.secret.value,
      unixTime: () => deps.clock.unixTime(),
    });
  }

  get check(): SecretCheck | undefined {
    return this.#given?.check ?? this.checkWith(undefined);
  }

  /** Those who came by one of an earlier generation have to go. */
  get generation(): number {
    return this.#kept.value.generation + this.#replaced;
  }

  get state(): SecretState {
    return this.#given === undefined ? this.#kept.value : NO_SECRET;
  }

  get isGiven(): boolean {
    return this.#given !== undefined;
  }

  hasProven(key: PublicKey): boolean {
    return this.#given?.proven.has(key) ?? this.#keptProven.has(key, this.#token);
  }

  /** Whether any key is remembered that came with the present one. */
  get hasBeenUsed(): boolean {
    return this.#given === undefined ? this.#keptProven.hasAny(this.#token) : this.#given.proven.ids.length > 0;
  }

  noteProven(key: PublicKey): void {
    if (this.#given === undefined) this.#keptProven.add(key, this.#token);
    else this.#given.proven.add(key);
  }

  /** @param given undefined where the kept one counts @returns whether another secret counts from now on, where there was one */
  willReplace(given: Buffer | undefined): boolean {
    if (this.check === undefined || (given === undefined && this.#given === undefined)) return false;
    return given === undefined || this.check.compare(given) !== 'right';
  }

  /** What would be compared with. @param given undefined where the kept one counts */
  checkWith(given: Buffer | undefined): SecretCheck | undefined {
    if (given !== undefined) return new FixedSecretCheck(this.#deps.random, given);
    return this.#kept.value.current === undefined ? undefined : this.#keptCheck;
  }

  /** The settings were read. @param given undefined where the kept one counts */
  use(given: Buffer | undefined): void {
    if (given !== undefined && this.#given?.check.compare(given) === 'right') return;
    if (this.willReplace(given)) this.#replaced += 1;
    this.#given =
      given === undefined
        ? undefined
        : { check: new FixedSecretCheck(this.#deps.random, given), proven: new ProvenKeys() };
  }

  /** Of the kept one. @param secret undefined for none from now on @throws StateFileError; then nothing has changed */
  async set(secret: Buffer | undefined, { grace, dropSessions, isGenerated = false }: SecretChange): Promise<void> {
    const { clock, random } = this.#deps;
    const current = secret === undefined ? undefined : await hashSecret(random, secret, isGenerated);
    const now = clock.unixTime();
    if (secret !== undefined && current !== undefined) this.#keptCheck.learn(secret, current);
    await this.#kept.change((state) => ({
      current,
      old: state.current !== undefined && grace > 0 ? { hash: state.current, validUntil: now + grace } : undefined,
      changedAt: now,
      generation: state.generation + (dropSessions ? 1 : 0),
    }));
  }

  close(): void {
    this.#keptProven.close();
  }

  get #token(): string {
    return this.#kept.value.current?.salt.toString('hex') ?? '';
  }
}
