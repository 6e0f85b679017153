/** What decides over who gets in: the secret and the whitelist, as they are at the moment of asking. */
import type { Random } from '../../base/random.js';
import type { PublicKey } from '../../tox/crypto/keys.js';
import { ProvenKeys } from './proven-keys.js';
import type { SecretCheck } from './secret-check.js';
import { FixedSecretCheck } from './secret-check.js';

export interface AccessFactors {
  /** Undefined while there is none. */
  readonly secret: SecretCheck | undefined;
  /** Counts up when those who came by an earlier secret have to go. */
  readonly secretGeneration: number;
  /** Whether being listed is a factor at all. */
  readonly hasWhitelist: boolean;
  /** Whether a key is on the list, and its time has not run out. */
  isListed(key: PublicKey): boolean;
  /** Whether a key was on the list until its time ran out. */
  hasExpired(key: PublicKey): boolean;
  isBanned(key: PublicKey): boolean;
  /** Whether the key has come with the present secret before: nobody can make another one that has. */
  hasProven(key: PublicKey): boolean;
  /** The key has come with the present secret. */
  noteProven(key: PublicKey): void;
  /** `all`: every factor that exists must hold. `any`: one is enough. */
  readonly require: 'all' | 'any';
  /** Lets in everybody where no factor exists; beside a factor it changes nothing. */
  readonly isOpen: boolean;
}

/** Those of the classic command, which do not change while it runs. */
export class FixedFactors implements AccessFactors {
  readonly secret: SecretCheck | undefined;
  readonly secretGeneration = 0;
  readonly require = 'all';
  readonly isOpen: boolean;
  readonly #whitelist: ReadonlySet<string>;
  readonly #proven = new ProvenKeys();

  /** @param options.secret not kept: only a hash is; `whitelist` is empty when there is none */
  constructor(
    deps: { readonly random: Random },
    options: {
      readonly secret: Buffer | undefined;
      readonly whitelist: readonly PublicKey[];
      readonly isInsecureOpen: boolean;
    },
  ) {
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
}
