/**
 * The directory that holds an identity: its file `tox_save`, and the lock that keeps every other process out. The file is
 * bytes here; what is in them is for `identity` to say.
 */
import { join } from 'node:path';
import { systemCodeOf } from '../../base/coded-error.js';
import { replaceFile } from './durable-file.js';
import { type LockFile, lockFile } from './file-lock.js';
import { type FileSystem, nodeFileSystem, type OpenFile } from './file-system.js';
import { FLAGS } from './setting-names.js';
import { asStateFileError, reasonOf, StateFileError } from './state-file-error.js';

/** The name under which upstream keeps it too. */
export const TOX_SAVE = 'tox_save';
/** That of the key of a bootstrap node. */
export const NODE_KEY = 'node_key';
const DIRECTORY_MODE = 0o700;
const FILE_MODE = 0o600;
const READABLE_BY_OTHERS = 0o044;
/** What the system says of a directory in which this user makes no files. */
const READ_ONLY: ReadonlySet<string> = new Set(['EROFS', 'EACCES', 'EPERM']);
/** Real ones have some kilobytes, and 2 KiB for each friend more; bounds what a wrong file can make us read. */
const MAX_FILE_SIZE = 16 * 1024 * 1024;

export interface StateFileDeps {
  readonly files: FileSystem;
  readonly lock: LockFile;
}

export const nodeStateFileDeps: StateFileDeps = { files: nodeFileSystem, lock: lockFile };

/** @param name of the file that it is for */
export const lockPathOf = (directory: string, name: string): string => join(directory, `${name}.lock`);

export class StateFile {
  readonly directory: string;
  readonly #files: FileSystem;
  readonly #name: string;
  /** What the setting of the directory is called. */
  readonly #named: string;
  readonly #lock: LockFile;
  #locked: Locked;
  /** The end of the last save: saves wait for each other. */
  #saving: Promise<void> = Promise.resolve();

  private constructor({ files, lock }: StateFileDeps, place: Place, locked: Locked) {
    this.#files = files;
    this.#lock = lock;
    this.directory = place.directory;
    this.#name = place.name;
    this.#named = place.named;
    this.#locked = locked;
  }

  /**
   * Takes the file for this process until `close`. Where nothing can be written, a file that is there is taken all the same.
   * @param options.isCreated whether to create the directory when it is missing
   * @param options.name of the file; the lock is beside it
   * @param options.named what the setting of the directory is called
   * @throws StateFileError
   */
  static async open(
    deps: StateFileDeps,
    directory: string,
    options: { readonly isCreated: boolean; readonly name?: string; readonly named?: string },
  ): Promise<StateFile> {
    const { files } = deps;
    const { name = TOX_SAVE, named = FLAGS.directory } = options;
    const place = { directory, name, named };
    try {
      if (options.isCreated) await files.makeDirectory(directory, DIRECTORY_MODE);
      if (!(await files.status(directory)).isDirectory) throw asStateFileError({ code: 'ENOTDIR' }, directory, named);
      return new StateFile(deps, place, await takeLock(deps, place));
    } catch (error) {
      throw asStateFileError(error, directory, named);
    }
  }

  get path(): string {
    return join(this.directory, this.#name);
  }

  /** Why nothing can be saved, as it was at the start; undefined when it can. */
  get writeFault(): StateFileError | undefined {
    const { fault } = this.#locked;
    return fault === undefined ? undefined : asStateFileError(fault, this.directory, this.#named);
  }

  /** What was saved last, undefined when there is nothing yet. @throws StateFileError */
  async read(): Promise<Buffer | undefined> {
    try {
      const { isFile, size } = await this.#files.status(this.path);
      if (!isFile || size > MAX_FILE_SIZE) {
        const reason = isFile ? `${size} bytes are too many for an identity` : 'it is not a file';
        throw new StateFileError(
          'unreadable',
          `cannot use ${this.path}: ${reason}; move it away, or name another directory with ${this.#named}`,
        );
      }
      return await this.#files.read(this.path);
    } catch (error) {
      if (error instanceof StateFileError) throw error;
      if (systemCodeOf(error) === 'ENOENT') return undefined;
      const message = `cannot read ${this.path} (${reasonOf(error)}): make it readable for this user, or name another directory with ${this.#named}`;
      throw new StateFileError('unreadable', message, { cause: error });
    }
  }

  /** Whether users other than the owner can read the secret key. */
  async isReadableByOthers(): Promise<boolean> {
    const status = await this.#files.status(this.path).catch(() => undefined);
    return status !== undefined && (status.mode & READABLE_BY_OTHERS) !== 0;
  }

  /** Replaces the file, durably: it is on the disk once this resolves. @throws StateFileError; the old file is then untouched */
  save(bytes: Buffer): Promise<void> {
    const saved = this.#saving.then(async () => {
      await this.#lockAgain();
      await replaceFile(this.#files, this.path, bytes, { mode: FILE_MODE, link: 'followed' });
    });
    // A failed save must not keep the next one from being tried.
    this.#saving = saved.catch(() => {});
    return saved.catch((error: unknown) => {
      throw asStateFileError(error, this.directory, this.#named);
    });
  }

  /** Lets others have the directory, once the last save is done. */
  async close(): Promise<void> {
    await this.#saving;
    await this.#locked.file.close();
  }

  /** What others look at, where there was none and now one can be made. */
  async #lockAgain(): Promise<void> {
    if (this.#locked.fault === undefined) return;
    const { directory } = this;
    const locked = await takeLock(
      { files: this.#files, lock: this.#lock },
      { directory, name: this.#name, named: this.#named, isWritable: true },
    );
    await this.#locked.file.close();
    this.#locked = locked;
  }
}

interface Place {
  readonly directory: string;
  readonly name: string;
  /** What the setting of the directory is called. */
  readonly named: string;
  /** Whether it has to be. */
  readonly isWritable?: boolean;
}

interface Locked {
  readonly file: OpenFile;
  /** Why nothing can be written there; undefined when it can. */
  readonly fault?: unknown;
}

/** @throws StateFileError `in-use`, and what the file system and the lock throw */
async function takeLock({ files, lock }: StateFileDeps, place: Place): Promise<Locked> {
  const locked = await openToLock(files, place);
  try {
    if (!lock(locked.file.fd)) throw await inUse(files, place);
    // For people; a full disk takes no number.
    await locked.file.write(Buffer.from(`${process.pid}\n`)).catch(() => {});
    return locked;
  } catch (error) {
    await locked.file.close();
    throw error;
  }
}

async function openToLock(files: FileSystem, { directory, name, isWritable = false }: Place): Promise<Locked> {
  const path = lockPathOf(directory, name);
  try {
    return { file: await files.openOrCreate(path, FILE_MODE) };
  } catch (fault) {
    const isReadOnly = READ_ONLY.has(systemCodeOf(fault) ?? '') && !isWritable;
    if (!isReadOnly || !(await isReadable(files, join(directory, name)))) throw fault;
    // The lock is the kernel's, and takes nothing of the disk.
    return { file: await files.openToRead(path).catch(() => files.openToRead(directory)), fault };
  }
}

async function isReadable(files: FileSystem, path: string): Promise<boolean> {
  try {
    await (await files.openToRead(path)).close();
    return true;
  } catch {
    return false;
  }
}

/** What a client may do instead, where one process is started for each connection. */
const SHARED = "let it carry all connections (several -L, or ssh's ControlMaster), or ";

async function inUse(files: FileSystem, { directory, name, named }: Place): Promise<StateFileError> {
  const lockPath = lockPathOf(directory, name);
  const text = await files.read(lockPath).then(String, () => '');
  const holder = /^[0-9]{1,10}\n$/.test(text) ? `process ${text.trim()}` : 'another process';
  return new StateFileError(
    'in-use',
    `the identity in ${directory} is in use by ${holder}: stop that one, or ${named === '-C' ? SHARED : ''}name another directory with ${named}`,
  );
}
