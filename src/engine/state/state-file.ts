/**
 * A file of an identity, such as `tox_save`, and the lock beside it that keeps every other process out. The file is bytes here;
 * `identity` and `node-key` read them.
 */
import { join } from 'node:path';
import { systemCodeOf } from '../../base/coded-error.js';
import { replaceFile } from './durable-file.js';
import { type LockFile, lockFile } from './file-lock.js';
import { type FileSystem, nodeFileSystem, type OpenFile } from './file-system.js';
import { asStateFileError, reasonOf, type StateDirectory, StateFileError } from './state-file-error.js';

/** Upstream's name, too. */
export const IDENTITY_FILE = 'tox_save';
const DIRECTORY_MODE = 0o700;
const FILE_MODE = 0o600;
const READABLE_BY_OTHERS = 0o044;
/** The system's errors for a directory in which this user cannot create files. */
const READ_ONLY: ReadonlySet<string> = new Set(['EROFS', 'EACCES', 'EPERM']);
const OF_ANOTHER_USER: ReadonlySet<string> = new Set(['EACCES', 'EPERM']);
/** Bytes. A real file has some KiB, and 2 KiB more for each friend; this bounds what a wrong file makes us read. */
const MAX_FILE_SIZE = 16 * 1024 * 1024;

export interface StateFileDeps {
  readonly files: FileSystem;
  readonly lock: LockFile;
}

export const nodeStateFileDeps: StateFileDeps = { files: nodeFileSystem, lock: lockFile };

interface Place {
  readonly directory: StateDirectory;
  /** The name of the file. */
  readonly name: string;
}

interface Locked {
  readonly file: OpenFile;
  /** Why nothing can be written in the directory; undefined when it can. */
  readonly writeError?: unknown;
}

/** Reads a file of an identity without its lock; undefined when there is none. @throws StateFileError */
export async function readStateFile(
  files: FileSystem,
  { path: directory, names }: StateDirectory,
  name = IDENTITY_FILE,
): Promise<Buffer | undefined> {
  const path = join(directory, name);
  const elsewhere = `name another directory with ${names.directory}`;
  try {
    const { isFile, size } = await files.status(path);
    if (isFile && size <= MAX_FILE_SIZE) return await files.read(path);
    const reason = isFile ? `${size} bytes are too many for an identity` : 'it is not a file';
    throw new StateFileError('unreadable', `cannot use ${path}: ${reason}; move it away, or ${elsewhere}`);
  } catch (error) {
    if (error instanceof StateFileError) throw error;
    if (systemCodeOf(error) === 'ENOENT') return undefined;
    const message = `cannot read ${path} (${reasonOf(error)}): make it readable for this user, or ${elsewhere}`;
    throw new StateFileError('unreadable', message, { cause: error });
  }
}

export class StateFile {
  readonly #deps: StateFileDeps;
  readonly #place: Place;
  #locked: Locked;
  /** The end of the last save: saves wait for each other. */
  #saving: Promise<void> = Promise.resolve();

  private constructor(deps: StateFileDeps, place: Place, locked: Locked) {
    this.#deps = deps;
    this.#place = place;
    this.#locked = locked;
  }

  /**
   * Locks the file for this process until `close`. A file that exists is opened also where nothing can be written.
   * @param options.isCreated whether to create the directory when it is missing
   * @param options.name the name of the file; default IDENTITY_FILE
   * @throws StateFileError
   */
  static async open(
    deps: StateFileDeps,
    directory: StateDirectory,
    { isCreated, name = IDENTITY_FILE }: { readonly isCreated: boolean; readonly name?: string },
  ): Promise<StateFile> {
    const { files } = deps;
    const place = { directory, name };
    try {
      if (isCreated) await files.makeDirectory(directory.path, DIRECTORY_MODE);
      if (!(await files.status(directory.path)).isDirectory) throw asStateFileError({ code: 'ENOTDIR' }, directory);
      return new StateFile(deps, place, await takeLock(deps, place));
    } catch (error) {
      throw asStateFileError(error, directory);
    }
  }

  get path(): string {
    return join(this.#place.directory.path, this.#place.name);
  }

  /** Why nothing could be saved when the file was opened; undefined when it could. */
  get writeError(): StateFileError | undefined {
    const { writeError } = this.#locked;
    return writeError === undefined ? undefined : asStateFileError(writeError, this.#place.directory);
  }

  /** Reads what was saved last; undefined when there is nothing yet. @throws StateFileError */
  read(): Promise<Buffer | undefined> {
    return readStateFile(this.#deps.files, this.#place.directory, this.#place.name);
  }

  /** Whether users other than the owner can read the secret key. */
  async isReadableByOthers(): Promise<boolean> {
    const status = await this.#deps.files.status(this.path).catch(() => undefined);
    return status !== undefined && (status.mode & READABLE_BY_OTHERS) !== 0;
  }

  /** Replaces the file, durably: it is on the disk once this resolves. @throws StateFileError; the old file is then untouched */
  save(bytes: Buffer): Promise<void> {
    const saved = this.#saving.then(async () => {
      await this.#lockAgain();
      await replaceFile(this.#deps.files, this.path, bytes, { mode: FILE_MODE, link: 'followed' });
    });
    // A failed save must not prevent the next one.
    this.#saving = saved.catch(() => {});
    return saved.catch((error: unknown) => {
      throw asStateFileError(error, this.#place.directory);
    });
  }

  /** Releases the lock after the last save. */
  async close(): Promise<void> {
    await this.#saving;
    await this.#locked.file.close();
  }

  /** Creates and locks the lock file, which other processes look at, where that was impossible at first. */
  async #lockAgain(): Promise<void> {
    if (this.#locked.writeError === undefined) return;
    const locked = await takeLock(this.#deps, this.#place, true);
    await this.#locked.file.close();
    this.#locked = locked;
  }
}

/**
 * @param mustBeWritable whether a directory in which nothing can be written is an error
 * @throws StateFileError `in-use`, and what the file system and the lock throw
 */
async function takeLock({ files, lock }: StateFileDeps, place: Place, mustBeWritable = false): Promise<Locked> {
  const locked = await openToLock(files, place, mustBeWritable);
  try {
    if (!lock(locked.file.fd)) throw await inUse(files, place);
    // Our number is for people; a full disk does not take it.
    await locked.file.write(Buffer.from(`${process.pid}\n`)).catch(() => {});
    return locked;
  } catch (error) {
    await locked.file.close();
    throw error;
  }
}

const lockPathOf = ({ directory, name }: Place): string => join(directory.path, `${name}.lock`);

async function openToLock(files: FileSystem, place: Place, mustBeWritable: boolean): Promise<Locked> {
  const { path } = place.directory;
  try {
    return { file: await files.openOrCreate(lockPathOf(place), FILE_MODE) };
  } catch (error) {
    const writeError = await asLockFileError(error, files, place);
    const isReadOnly = READ_ONLY.has(systemCodeOf(error) ?? '') && !mustBeWritable;
    if (!isReadOnly || !(await isReadable(files, join(path, place.name)))) throw writeError;
    // The kernel holds the lock, which needs no space on the disk.
    return { file: await files.openToRead(lockPathOf(place)).catch(() => files.openToRead(path)), writeError };
  }
}

/** Where the file is there, it is not the directory that refuses: another user, such as root, has used the identity. */
async function asLockFileError(error: unknown, files: FileSystem, place: Place): Promise<unknown> {
  if (!OF_ANOTHER_USER.has(systemCodeOf(error) ?? '')) return error;
  const path = lockPathOf(place);
  if (!(await isThere(files, path))) return error;
  const { path: directory, names } = place.directory;
  const advice = `give it and ${join(directory, place.name)} to this user (chown), or name another directory with ${names.directory}`;
  return new StateFileError('not-writable', `cannot write ${path} (${reasonOf(error)}): ${advice}`, { cause: error });
}

const isThere = (files: FileSystem, path: string): Promise<boolean> =>
  files.status(path).then(
    ({ isFile }) => isFile,
    () => false,
  );

async function isReadable(files: FileSystem, path: string): Promise<boolean> {
  try {
    await (await files.openToRead(path)).close();
    return true;
  } catch {
    return false;
  }
}

async function inUse(files: FileSystem, place: Place): Promise<StateFileError> {
  const { path, names } = place.directory;
  const text = await files.read(lockPathOf(place)).then(String, () => '');
  const holder = /^[0-9]{1,10}\n$/.test(text) ? `process ${text.trim()}` : 'another process';
  const otherWays = names.whenInUse === undefined ? '' : `${names.whenInUse}, or `;
  return new StateFileError(
    'in-use',
    `the identity in ${path} is in use by ${holder}: stop that one, or ${otherWays}name another directory with ${names.directory}`,
  );
}
