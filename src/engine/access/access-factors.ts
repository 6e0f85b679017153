/** The factors of access, as they are at the moment: the secret, the whitelist and the bans. */
import type { Random } from '../../base/random.js';
import type { PublicKey } from '../../tox/crypto/keys.js';
import { ProvenKeys } from './proven-keys.js';
import type { SecretCheck } from './secret-check.js';
import { FixedSecretCheck } from './secret-check.js';

export interface AccessFactors {
  /** Undefined while there is no secret. */
  readonly secret: SecretCheck | undefined;
  /** Increases when clients that used an earlier secret are disconnected. */
  readonly secretGeneration: number;
  /** Whether the whitelist is a factor. */
  readonly hasWhitelist: boolean;
  /** Whether a key is on the whitelist and its entry has not expired. */
  isListed(key: PublicKey): boolean;
  /** Whether a key is on the whitelist and its entry has expired. */
  hasExpired(key: PublicKey): boolean;
  isBanned(key: PublicKey): boolean;
  /** Whether the key has sent the present secret before; a stranger cannot make such a key. */
  hasProven(key: PublicKey): boolean;
  /** Notes that the key has sent the present secret. */
  noteProven(key: PublicKey): void;
  /** Whether the secret has admitted as many other keys as it may; a secret without a limit has no such method. */
  isUsedUp?(key: PublicKey): boolean;
  /** `all`: every factor that exists must hold. `any`: one is enough. */
  readonly require: 'all' | 'any';
  /** Admits every client where no factor exists; otherwise it has no effect. */
  readonly isOpen: boolean;
}

/** The factors of the classic command, which do not change while it runs. */
export class FixedFactors implements AccessFactors {
  readonly secret: SecretCheck | undefined;
  readonly secretGeneration = 0;
  readonly require = 'all';
  readonly isOpen: boolean;
  readonly #whitelist: ReadonlySet<string>;
  readonly #proven = new ProvenKeys();
  readonly #uses: number;

  /**
   * @param options.secret only its hash is stored; `whitelist` is empty when there is none
   * @param options.uses how many keys the secret may admit; undefined for any number
   */
  constructor(
    deps: { readonly random: Random },
    options: {
      readonly secret: Buffer | undefined;
      readonly whitelist: readonly PublicKey[];
      readonly isInsecureOpen: boolean;
      readonly uses?: number | undefined;
    },
  ) {
    this.#uses = options.uses ?? Number.POSITIVE_INFINITY;
    this.secret = options.secret === undefined ? undefined : new FixedSecretCheck(deps.random, options.secret);
    this.#whitelist = new Set(options.whitelist.map((key) => key.hex));
    this.isOpen = options.isInsecureOpen;
  }

  get hasWhitelist(): boolean {
    return this.#whitelist.size > 0;
  }

  isListed(key: PublicKey): boolean {
    return this.#whitelist.has(key.hex);
  }

  hasExpired(): boolean {
    return false;
  }

  isBanned(): boolean {
    return false;
  }

  hasProven(key: PublicKey): boolean {
    return this.#proven.has(key);
  }

  noteProven(key: PublicKey): void {
    this.#proven.add(key);
  }

  isUsedUp(key: PublicKey): boolean {
    return this.#proven.ids.length >= this.#uses && !this.#proven.has(key);
  }
}
