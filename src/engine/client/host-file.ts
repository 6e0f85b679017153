/** The hosts of a user: `hosts.json`, which we write, and upstream's `~/.tuntox/hosts`, which we only read. */
import { join } from 'node:path';
import { ALIAS } from '../../base/alias.js';
import { type Clock, pause } from '../../base/clock.js';
import { systemCodeOf } from '../../base/coded-error.js';
import { didYouMean, similarNames } from '../../base/nearest.js';
import { FileError, readSmallFile } from '../../base/small-file.js';
import { NAME_ADVICE, plainHostName } from '../../config/host-name.js';
import { parseUpstreamHosts } from '../../config/upstream-hosts.js';
import type { LockFile } from '../state/file-lock.js';
import type { FileSystem, OpenFile } from '../state/file-system.js';
import { JsonFile } from '../state/json-file.js';
import { asStateFileError } from '../state/state-file-error.js';
import { checkPin, HOSTS_FORMAT, type Host, HostError, type StoredHost } from './host-entry.js';

const LOCK = 'hosts.lock';
const DIRECTORY_MODE = 0o700;
const FILE_MODE = 0o600;
/** ms between two looks at a lock that another process has, and how many there are. */
const LOCK_PAUSE = 50;
const LOCK_TRIES = 200;
/** Bytes of upstream's file. */
const MAX_UPSTREAM = 1024 * 1024;
/** What errors call the setting of the directory. */
const NAMES = { directory: 'XDG_CONFIG_HOME' };

interface Deps {
  readonly files: FileSystem;
  readonly lock: LockFile;
  readonly clock: Clock;
}

export interface HostFilePlaces {
  /** The directory of `hosts.json`. */
  readonly directory: string;
  readonly upstreamFile: string;
}

export class HostFile {
  readonly #deps: Deps;
  readonly #places: HostFilePlaces;

  constructor(deps: Deps, places: HostFilePlaces) {
    this.#deps = deps;
    this.#places = places;
  }

  /** Returns all hosts, by name; ours come before upstream's of the same name. @throws JsonFileError, FileError */
  async list(): Promise<Host[]> {
    const own = await this.#open();
    const names = new Set(own.value.map(({ name }) => name));
    const others = this.#upstream().hosts.filter(({ name }) => !names.has(name));
    return [...own.value, ...others].sort((one, other) => (one.name < other.name ? -1 : 1));
  }

  /** Names in upstream's file that no host can have: these lines are left out. @throws FileError */
  get unusable(): readonly string[] {
    return this.#upstream().unusable;
  }

  /**
   * Returns the host with the name, which may end with `.tox`.
   * @throws HostError `unknown` with the names that resemble it; `changed-key` when its Tox ID is not the pinned one
   */
  async find(text: string): Promise<Host> {
    const name = plainHostName(text);
    const hosts = await this.list();
    const host = hosts.find((one) => one.name === name);
    if (host === undefined && this.unusable.includes(name)) {
      const advice = `${NAME_ADVICE}, or store it with "tuntox join LINK NAME"`;
      throw new HostError('unknown', `"${name}" in ${this.#places.upstreamFile} is not a name: ${advice}`);
    }
    if (host === undefined) throw unknownHost(name, hosts);
    checkPin(host, host.toxId);
    return host;
  }

  /** Checks that the name may be stored with this Tox ID. @returns what is stored under it @throws HostError `changed-key` */
  async check(name: string, toxId: string): Promise<StoredHost | undefined> {
    const known = (await this.#open()).value.find((host) => host.name === name);
    if (known !== undefined) checkPin(known, toxId);
    return known;
  }

  /** Stores a host, durably. One with the same name and key gets the new secret and Tox ID. @throws HostError, StateFileError */
  async add(host: StoredHost): Promise<void> {
    await this.#change((hosts) => {
      const known = hosts.find(({ name }) => name === host.name);
      if (known === undefined) return [...hosts, host];
      checkPin(known, host.toxId);
      const updated = { ...host, addedAt: known.addedAt };
      return hosts.map((one) => (one === known ? updated : one));
    });
  }

  /** Removes a host with its pinned key. @returns it @throws HostError, StateFileError */
  async remove(text: string): Promise<StoredHost> {
    const name = plainHostName(text);
    let removed: StoredHost | undefined;
    await this.#change((hosts) => {
      removed = hosts.find((host) => host.name === name);
      if (removed !== undefined) return hosts.filter((host) => host !== removed);
      const others = this.#upstream().hosts;
      if (!others.some((host) => host.name === name)) throw unknownHost(name, [...hosts, ...others]);
      throw new HostError('not-ours', `${name} is in ${this.#places.upstreamFile}: remove its line there`);
    });
    return removed as unknown as StoredHost;
  }

  /** @throws JsonFileError */
  async #open(): Promise<JsonFile<readonly StoredHost[]>> {
    const { files } = this.#deps;
    const file = await JsonFile.open(files, { path: this.#places.directory, names: NAMES }, HOSTS_FORMAT);
    if (file.error !== undefined) throw file.error;
    return file;
  }

  /** Reads, changes and writes the file while no other process does. */
  async #change(change: (hosts: readonly StoredHost[]) => readonly StoredHost[]): Promise<void> {
    const { files } = this.#deps;
    const directory = { path: this.#places.directory, names: NAMES };
    let locked: OpenFile | undefined;
    try {
      await files.makeDirectory(directory.path, DIRECTORY_MODE);
      locked = await files.openOrCreate(join(directory.path, LOCK), FILE_MODE);
      await this.#lock(locked);
    } catch (error) {
      await locked?.close();
      throw asStateFileError(error, directory);
    }
    try {
      await (await this.#open()).change(change);
    } finally {
      await locked.close();
    }
  }

  async #lock({ fd }: OpenFile): Promise<void> {
    const { clock, lock } = this.#deps;
    for (let left = LOCK_TRIES; !lock(fd); left -= 1) {
      if (left === 0) throw new Error(`another process holds ${LOCK}: end it, and try again`);
      await pause(clock, LOCK_PAUSE);
    }
  }

  /** @throws FileError */
  #upstream(): { readonly hosts: readonly Host[]; readonly unusable: readonly string[] } {
    try {
      const { hosts, unusable } = parseUpstreamHosts(readSmallFile(this.#places.upstreamFile, MAX_UPSTREAM).toString());
      return { hosts: hosts.map((host) => ({ ...host, pinnedKey: undefined, addedAt: undefined })), unusable };
    } catch (error) {
      const isMissing = error instanceof FileError && ['ENOENT', 'ENOTDIR'].includes(systemCodeOf(error.cause) ?? '');
      if (isMissing) return { hosts: [], unusable: [] };
      throw error;
    }
  }
}

function unknownHost(name: string, hosts: readonly Host[]): HostError {
  const meant = didYouMean(
    similarNames(
      name,
      hosts.map((host) => host.name),
    ),
  );
  const stored = ALIAS.test(name) ? name : 'NAME';
  const advice =
    meant ?? (hosts.length === 0 ? `"tuntox join LINK ${stored}" stores one` : '"tuntox list" shows the hosts');
  return new HostError('unknown', `there is no host "${name}": ${advice}`);
}
