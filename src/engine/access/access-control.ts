/**
 * The access of clients to a daemon, which its owner changes while it runs: the stored whitelist, secret and bans, and the settings.
 * A change counts once it is on the disk; then the listeners are called, and review the admitted clients.
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
import { type AccessLists, accessListsFormat } from './access-lists.js';
import { BanList, type Bans, bansFormat, type ListedBan } from './ban-list.js';
import { Invitations } from './invitations.js';
import { provenFormat } from './proven-keys.js';
import type { SecretCheck } from './secret-check.js';
import { type SecretChange, Secrets } from './secrets.js';
import { type SecretState, secretFormat } from './stored-secret.js';
import {
  type Listing,
  listingOf,
  nextExpiry,
  type Whitelist,
  type WhitelistEntry,
  withChanged,
  withEntries,
  withoutEntry,
  withoutFactor,
} from './whitelist.js';

/** `given`: that of `access.secret_file`; `lists`: whitelist and invitations. */
type AccessFile = 'given' | 'lists' | 'secret' | 'bans';

export interface AccessControlDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly files: FileSystem;
}

export interface AccessSettings {
  readonly require: 'all' | 'any';
  readonly isOpen: boolean;
  /** A secret from the settings or from a credential of systemd, which replaces the stored one. */
  readonly givenSecret: Buffer | undefined;
  /** Why the given secret cannot be read; no client is admitted then. */
  readonly secretError?: string | undefined;
}

/**
 * ms between checks of the wall clock while an entry has an end. A timer until that end would stop while the machine sleeps, and
 * would not notice that the clock is set.
 */
const EXPIRY_CHECK = 500;

interface Files {
  readonly lists: JsonFile<AccessLists>;
  readonly secret: JsonFile<SecretState>;
  readonly bans: JsonFile<Bans>;
}

export class AccessControl implements AccessFactors {
  readonly invitations: Invitations;
  readonly #deps: AccessControlDeps;
  readonly #files: Files;
  readonly #bans: BanList;
  readonly #secrets: Secrets;
  readonly #changes = new Listeners<[]>();
  #settings: AccessSettings;
  #expiry: Timer | undefined;
  #saveError: Error | undefined;

  private constructor(deps: AccessControlDeps, settings: AccessSettings, files: Files, secrets: Secrets) {
    this.#deps = deps;
    this.#settings = settings;
    this.#files = files;
    this.#bans = new BanList(deps.clock, files.bans);
    this.#secrets = secrets;
    this.invitations = new Invitations({
      ...deps,
      lists: () => files.lists.value,
      change: (change) => this.#changeLists(change),
      note: (change) => files.lists.change(change),
    });
    secrets.use(settings.givenSecret);
    this.#awaitExpiry();
  }

  /** Never fails: while a file cannot be read, no client is admitted, and `errors` has the reason. */
  static async open(
    deps: AccessControlDeps,
    directory: StateDirectory,
    settings: AccessSettings,
  ): Promise<AccessControl> {
    const { files, log } = deps;
    const stored = {
      lists: await JsonFile.open(files, directory, accessListsFormat),
      secret: await JsonFile.open(files, directory, secretFormat),
      bans: await JsonFile.open(files, directory, bansFormat),
    };
    const proven = await JsonFile.open(files, directory, provenFormat);
    if (proven.error !== undefined) log.error(proven.error.message);
    return new AccessControl(deps, settings, stored, new Secrets(deps, { ...stored, proven }));
  }

  /** Why stored files cannot be used; while there is an error, no client is admitted. */
  get errors(): ReadonlyMap<AccessFile, string> {
    const { lists, secret, bans } = this.#files;
    const all: readonly (readonly [AccessFile, string | undefined])[] = [
      ['given', this.#settings.secretError],
      ['lists', lists.error?.message],
      ['secret', secret.error?.message],
      ['bans', bans.error?.message],
    ];
    return new Map(all.filter((one): one is [AccessFile, string] => one[1] !== undefined));
  }

  /** Why the last change could not be saved; undefined when it was. */
  get saveError(): Error | undefined {
    return this.#saveError;
  }

  // For the policy

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
    return this.#settings.isOpen && this.errors.size === 0;
  }

  listing(key: PublicKey): Listing {
    return listingOf(this.entry(key), this.#deps.clock.unixTime());
  }

  /** While a file cannot be read, every key may be a banned one. */
  isBanned(key: PublicKey): boolean {
    return this.errors.size > 0 || this.#bans.has(key);
  }

  hasProven(key: PublicKey): boolean {
    return this.#secrets.hasProven(key);
  }

  noteProven(key: PublicKey): void {
    this.#secrets.noteProven(key);
  }

  // For the owner

  /** Sessions of an earlier generation used a secret whose sessions were dropped. */
  get secretGeneration(): number {
    return this.#secrets.generation;
  }

  get secretState(): SecretState {
    return this.#secrets.state;
  }

  /** Whether a client has used the present secret. */
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

  // Changes by the owner; each throws StateFileError when it could not be saved, and then nothing has changed

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

  /** Turns the whitelist off: it is no factor any more, and admits only clients that came by an invitation. */
  async dropWhitelist(): Promise<void> {
    await this.#changeWhitelist(withoutFactor);
  }

  /** @param secret undefined: there is none from now on */
  async setSecret(secret: Buffer | undefined, change: SecretChange): Promise<void> {
    await this.#save(() => this.#secrets.set(secret, change));
  }

  async ban(key: PublicKey, reason: string, until: number | undefined): Promise<void> {
    await this.#save(() => this.#bans.ban(key, reason, until));
  }

  /** Bans without the disk, until then or until the process ends. @param until Unix time, s */
  banInMemory(key: PublicKey, reason: string, until: number): void {
    this.#bans.banInMemory(key, reason, until);
    this.#notify();
  }

  /** Lifts bans; the disk is not needed for those in memory. @param key undefined for all */
  async unban(key: PublicKey | undefined): Promise<void> {
    if (this.#bans.isStored(key)) await this.#save(() => this.#bans.unban(key));
    this.#bans.unbanInMemory(key);
    this.#notify();
  }

  /** Returns the factors with other settings, and whether the present secret would stay valid. */
  withSettings({ require, isOpen, givenSecret }: AccessSettings) {
    const isReplacing = this.#secrets.willReplace(givenSecret);
    const secret = this.#secrets.checkWith(givenSecret);
    const secretGeneration = this.secretGeneration + (isReplacing ? 1 : 0);
    return { factors: { require, isOpen, secret, secretGeneration }, isSecretUnchanged: !isReplacing };
  }

  /** Applies settings that were reloaded. */
  applySettings(settings: AccessSettings): void {
    this.#settings = settings;
    this.#secrets.use(settings.givenSecret);
    this.#notify();
  }

  /** Calls back whenever admitted clients have to be reviewed. */
  onChange(listener: () => void): void {
    this.#changes.add(listener);
  }

  close(): void {
    this.#expiry?.cancel();
    this.#secrets.close();
    this.invitations.close();
  }

  get #whitelistNow(): Whitelist {
    return this.#files.lists.value.whitelist;
  }

  #changeWhitelist(change: (list: Whitelist) => Whitelist): Promise<void> {
    return this.#changeLists((lists) => ({ ...lists, whitelist: change(lists.whitelist) }));
  }

  #changeLists(change: (lists: AccessLists) => AccessLists): Promise<void> {
    return this.#save(() => this.#files.lists.change(change));
  }

  async #save(change: () => Promise<void>): Promise<void> {
    try {
      await change();
      this.#saveError = undefined;
    } catch (error) {
      // Other errors are about the change itself, not about the disk.
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
    this.#expiry = clock.every(EXPIRY_CHECK, () => {
      const then = clock.unixTime();
      // When the clock was set back, entries that had expired are valid again.
      if (then >= next || then < now) this.#notify();
    });
  }
}
