/**
 * Who gets into the daemon, as its owner changes it while it runs: the kept whitelist, secret and bans, and what the
 * configuration says. A change counts once it is on the disk; whoever watches is told, and looks at who is here again.
 */
import type { Clock, Timer } from '../../base/clock.js';
import { Listeners } from '../../base/listeners.js';
import type { Logger } from '../../base/logger.js';
import type { Random } from '../../base/random.js';
import type { PublicKey } from '../../tox/crypto/keys.js';
import type { FileSystem } from '../state/file-system.js';
import { JsonFile } from '../state/json-file.js';
import { type StateDirectory, StateFileError } from '../state/state-file-error.js';
import type { AccessFactors } from './access-factors.js';
import { BanList, type Bans, bansFormat, type ListedBan } from './ban-list.js';
import { provenFormat } from './proven-keys.js';
import type { SecretCheck } from './secret-check.js';
import { type SecretChange, Secrets } from './secrets.js';
import { type SecretState, secretFormat } from './stored-secret.js';
import {
  isExpired,
  NO_WHITELIST,
  nextExpiry,
  type Whitelist,
  type WhitelistEntry,
  whitelistFormat,
  withChanged,
  withEntries,
  withoutEntry,
} from './whitelist.js';

export interface AccessControlDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly files: FileSystem;
}

export interface AccessSettings {
  readonly require: 'all' | 'any';
  readonly isOpen: boolean;
  /** A secret that the configuration or a credential of systemd brings, instead of the kept one. */
  readonly givenSecret: Buffer | undefined;
  /** Why the secret that was to be given cannot be read: nobody gets in. */
  readonly secretError?: string | undefined;
}

/**
 * Implementation: ms between looks at the calendar while an entry has an end. A timer until then would sleep as long as the
 * machine does, and would not see that somebody sets the clock.
 */
const EXPIRY_LOOK = 500;

/** The kept files. */
interface Parts {
  readonly whitelist: JsonFile<Whitelist>;
  readonly secret: JsonFile<SecretState>;
  readonly bans: JsonFile<Bans>;
}

export class AccessControl implements AccessFactors {
  readonly #deps: AccessControlDeps;
  readonly #parts: Parts;
  readonly #bans: BanList;
  readonly #secrets: Secrets;
  readonly #changes = new Listeners<[]>();
  #settings: AccessSettings;
  #expiry: Timer | undefined;
  #saveError: Error | undefined;

  private constructor(deps: AccessControlDeps, settings: AccessSettings, parts: Parts, secrets: Secrets) {
    this.#deps = deps;
    this.#settings = settings;
    this.#parts = parts;
    this.#bans = new BanList(deps.clock, parts.bans);
    this.#secrets = secrets;
    secrets.use(settings.givenSecret);
    this.#awaitExpiry();
  }

  /** Never fails: what cannot be read closes the door, and `errors` tells. @param directory of the state */
  static async open(
    deps: AccessControlDeps,
    directory: StateDirectory,
    settings: AccessSettings,
  ): Promise<AccessControl> {
    const { files, log } = deps;
    const parts = {
      whitelist: await JsonFile.open(files, directory, whitelistFormat),
      secret: await JsonFile.open(files, directory, secretFormat),
      bans: await JsonFile.open(files, directory, bansFormat),
    };
    const proven = await JsonFile.open(files, directory, provenFormat);
    if (proven.error !== undefined) log.error(proven.error.message);
    return new AccessControl(deps, settings, parts, new Secrets(deps, { ...parts, proven }));
  }

  /** What of the kept state cannot be used, for people; while there is anything, nobody gets in. */
  get errors(): readonly string[] {
    const { whitelist, secret, bans } = this.#parts;
    const all = [this.#settings.secretError, whitelist.error?.message, secret.error?.message, bans.error?.message];
    return all.filter((error) => error !== undefined);
  }

  /** Why the last change could not be saved; undefined when it was. */
  get saveError(): Error | undefined {
    return this.#saveError;
  }

  // What the policy asks

  get secret(): SecretCheck | undefined {
    return this.#secrets.check;
  }

  get hasWhitelist(): boolean {
    return this.#whitelistNow.isFactor;
  }

  get require(): 'all' | 'any' {
    return this.#settings.require;
  }

  get isOpen(): boolean {
    return this.#settings.isOpen && this.errors.length === 0;
  }

  isListed(key: PublicKey): boolean {
    const entry = this.entry(key);
    return entry !== undefined && !isExpired(entry, this.#deps.clock.unixTime());
  }

  hasExpired(key: PublicKey): boolean {
    const entry = this.entry(key);
    return entry !== undefined && isExpired(entry, this.#deps.clock.unixTime());
  }

  /** With bans or a secret that cannot be read nobody can be told from who is kept out. */
  isBanned(key: PublicKey): boolean {
    return this.errors.length > 0 || this.#bans.has(key);
  }

  hasProven(key: PublicKey): boolean {
    return this.#secrets.hasProven(key);
  }

  noteProven(key: PublicKey): void {
    this.#secrets.noteProven(key);
  }

  // What the owner asks

  /** Which secret's sessions may stay: those of an earlier generation came by one that was dropped. */
  get secretGeneration(): number {
    return this.#secrets.generation;
  }

  get secretState(): SecretState {
    return this.#secrets.state;
  }

  /** Whether any key is remembered that came with the present secret. */
  get hasSecretBeenUsed(): boolean {
    return this.#secrets.hasBeenUsed;
  }

  get isSecretGiven(): boolean {
    return this.#secrets.isGiven;
  }

  get entries(): readonly WhitelistEntry[] {
    return [...this.#whitelistNow.entries.values()];
  }

  entry(key: PublicKey): WhitelistEntry | undefined {
    return this.entryOf(key.hex);
  }

  /** @param id public key in hex */
  entryOf(id: string): WhitelistEntry | undefined {
    return this.#whitelistNow.entries.get(id);
  }

  get bans(): readonly ListedBan[] {
    return this.#bans.all;
  }

  // What the owner changes; each throws StateFileError when it could not be saved, and then nothing has changed

  /** @throws WhitelistError, StateFileError */
  async addEntries(entries: readonly WhitelistEntry[]): Promise<void> {
    await this.#changeWhitelist((list) => withEntries(list, entries));
  }

  /** @throws WhitelistError, StateFileError */
  async changeEntry(key: PublicKey, change: (entry: WhitelistEntry) => WhitelistEntry): Promise<void> {
    await this.#changeWhitelist((list) => withChanged(list, key, change));
  }

  async removeEntry(key: PublicKey): Promise<void> {
    await this.#changeWhitelist((list) => withoutEntry(list, key));
  }

  /** Being listed is asked for no more. */
  async dropWhitelist(): Promise<void> {
    await this.#changeWhitelist(() => NO_WHITELIST);
  }

  /** @param secret undefined for none from now on */
  async setSecret(secret: Buffer | undefined, change: SecretChange): Promise<void> {
    await this.#save(() => this.#secrets.set(secret, change));
  }

  async ban(key: PublicKey, reason: string, until: number | undefined): Promise<void> {
    await this.#save(() => this.#bans.ban(key, reason, until));
  }

  /** In memory alone, which needs no disk: until then, or the end of the process. @param until Unix time, s */
  banInMemory(key: PublicKey, reason: string, until: number): void {
    this.#bans.banInMemory(key, reason, until);
    this.#notify();
  }

  /** Those in memory too, for which alone the disk is not needed. @param key undefined for all */
  async unban(key: PublicKey | undefined): Promise<void> {
    if (this.#bans.isStored(key)) await this.#save(() => this.#bans.unban(key));
    this.#bans.unbanInMemory(key);
    this.#notify();
  }

  /** What would be looked at with other settings, and whether the secret of now would still be one. */
  withSettings({ require, isOpen, givenSecret }: AccessSettings) {
    const isReplacing = this.#secrets.willReplace(givenSecret);
    const secret = this.#secrets.checkWith(givenSecret);
    const secretGeneration = this.secretGeneration + (isReplacing ? 1 : 0);
    return { factors: { require, isOpen, secret, secretGeneration }, isSecretUnchanged: !isReplacing };
  }

  /** The configuration was read anew. */
  applySettings(settings: AccessSettings): void {
    this.#settings = settings;
    this.#secrets.use(settings.givenSecret);
    this.#notify();
  }

  /** Calls back whenever somebody who is here may have to go. */
  onChange(listener: () => void): void {
    this.#changes.add(listener);
  }

  close(): void {
    this.#expiry?.cancel();
    this.#secrets.close();
  }

  get #whitelistNow(): Whitelist {
    return this.#parts.whitelist.value;
  }

  #changeWhitelist(change: (list: Whitelist) => Whitelist): Promise<void> {
    return this.#save(() => this.#parts.whitelist.change(change));
  }

  async #save(change: () => Promise<void>): Promise<void> {
    try {
      await change();
      this.#saveError = undefined;
    } catch (error) {
      // What the change itself found wrong is the caller's affair.
      if (error instanceof StateFileError) this.#saveError = error;
      throw error;
    }
    this.#notify();
  }

  #notify(): void {
    this.#awaitExpiry();
    this.#changes.tell();
  }

  #awaitExpiry(): void {
    this.#expiry?.cancel();
    this.#expiry = undefined;
    const { clock } = this.#deps;
    if (this.entries.every(({ expiresAt }) => expiresAt === undefined)) return;
    const now = clock.unixTime();
    const next = nextExpiry(this.#whitelistNow, now) ?? Number.POSITIVE_INFINITY;
    this.#expiry = clock.every(EXPIRY_LOOK, () => {
      const then = clock.unixTime();
      // Set back, it is to end anew what has ended before.
      if (then >= next || then < now) this.#notify();
    });
  }
}
