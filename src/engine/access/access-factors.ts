/** The factors of access, as they are at the moment: the secret, the whitelist and the bans. */
import type { Random } from '../../base/random.js';
import type { PublicKey } from '../../tox/crypto/keys.js';
import type { InvitationState } from './invitation.js';
import { ProvenKeys } from './proven-keys.js';
import { FixedSecretCheck, type SecretCheck } from './secret-check.js';
import type { Listing } from './whitelist.js';

/** What an invitation is to a key. `redeemed`: this key has redeemed it before. */
export interface InvitationStanding {
  readonly id: string;
  /** For the log. */
  readonly label: string;
  readonly state: InvitationState | 'redeemed';
}

export interface InvitationCheck {
  /** Whether any client can be admitted by an invitation, or was. */
  readonly admitsAny: boolean;
  /** Returns 32 bytes that stand for a candidate and do not reveal it. */
  digest(candidate: Buffer): Buffer;
  /** @returns `unknown` when it is the secret of none; undefined when it cannot be one, or there are no invitations */
  find(key: PublicKey, candidate: Buffer): InvitationStanding | 'unknown' | undefined;
  /** Puts the key on the whitelist. Never rejects. */
  redeem(key: PublicKey, id: string): Promise<'redeemed' | 'too-late' | 'not-saved'>;
  /** Notes for the owner that a client came too late. */
  noteLate(key: PublicKey, id: string): void;
}

export interface AccessFactors {
  /** Undefined while there is no secret. */
  readonly secret: SecretCheck | undefined;
  /** Increases when clients that used an earlier secret are disconnected. */
  readonly secretGeneration: number;
  /** Whether the whitelist is a factor. */
  readonly hasWhitelist: boolean;
  /** Returns what the whitelist says of a key. */
  listing(key: PublicKey): Listing;
  /** Undefined where there are none. */
  readonly invitations?: InvitationCheck;
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

  listing(key: PublicKey): Listing {
    return this.#whitelist.has(key.hex) ? 'listed' : 'none';
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
