/** What the engine needs from the file system to store a file safely; tests pass one that fails where they want. */
import { closeSync, constants, fsync, ftruncate, mkdirSync, open, promises, statSync, writeFile } from 'node:fs';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import { systemCodeOf } from '../../base/coded-error.js';

export interface FileStatus {
  readonly isFile: boolean;
  readonly isDirectory: boolean;
  readonly mode: number;
  /** Bytes. */
  readonly size: number;
}

export interface OpenFile {
  readonly fd: number;
  /** Replaces the content. */
  write(bytes: Buffer): Promise<void>;
  /** Resolves once all that was written is on the disk. */
  sync(): Promise<void>;
  close(): Promise<void>;
}

export interface FileSystem {
  /** Makes a directory and its parents; an existing one stays as it is. */
  makeDirectory(path: string, mode: number): Promise<void>;
  /** Follows links. */
  status(path: string): Promise<FileStatus>;
  /** Returns the path behind all links. */
  realPath(path: string): Promise<string>;
  read(path: string): Promise<Buffer>;
  /** Creates a file that must not exist, not even as a link. */
  createNew(path: string, mode: number): Promise<OpenFile>;
  /** Opens a file for writing without changing its content; creates it when it is missing. */
  openOrCreate(path: string, mode: number): Promise<OpenFile>;
  /** Opens a file or a directory. */
  openToRead(path: string): Promise<OpenFile>;
  rename(from: string, to: string): Promise<void>;
  /** Does nothing when there is no such file. */
  remove(path: string): Promise<void>;
}

const { O_CREAT, O_EXCL, O_NOFOLLOW, O_NONBLOCK, O_RDONLY, O_RDWR, O_WRONLY } = constants;
const CREATE_NEW = O_WRONLY | O_CREAT | O_EXCL;
const OPEN_OR_CREATE = O_RDWR | O_CREAT | O_NOFOLLOW;

export const nodeFileSystem: FileSystem = {
  makeDirectory: async (path, mode) => void makeDirectories(path, mode),
  status: async (path) => {
    const found = await promises.stat(path);
    return { isFile: found.isFile(), isDirectory: found.isDirectory(), mode: found.mode, size: found.size };
  },
  realPath: (path) => promises.realpath(path),
  // Another user may have put a pipe there, for which a plain open would wait.
  read: (path) => promises.readFile(path, { flag: O_RDONLY | O_NONBLOCK }),
  createNew: (path, mode) => openFile(path, CREATE_NEW, mode),
  openOrCreate: (path, mode) => openFile(path, OPEN_OR_CREATE, mode),
  openToRead: (path) => openFile(path, O_RDONLY | O_NONBLOCK),
  rename: (from, to) => promises.rename(from, to),
  remove: (path) => promises.rm(path, { force: true }),
};

/**
 * Makes a directory and its parents. Node's recursive mkdir never returns in a directory such as /proc, and reports ENOENT for a
 * read-only disk.
 * @returns false when the directory existed @throws system errors; EEXIST when the path is not a directory
 */
export function makeDirectories(path: string, mode: number): boolean {
  try {
    mkdirSync(path, { mode });
    return true;
  } catch (error) {
    const code = systemCodeOf(error);
    if (code === 'EEXIST' && statSync(path).isDirectory()) return false;
    // Its parent exists, so this error is the one to report.
    if (code !== 'ENOENT' || !makeDirectories(dirname(path), mode)) throw error;
    return makeDirectories(path, mode);
  }
}

const openDescriptor = promisify(open);
const truncate = promisify(ftruncate);
const writeAll = promisify(writeFile);
const syncDescriptor = promisify(fsync);

/** Uses the descriptor, not a handle of Node: closing a handle takes a thread, which on a busy machine is most of the cost. */
async function openFile(path: string, flags: number, mode?: number): Promise<OpenFile> {
  const fd = await openDescriptor(path, flags, mode);
  return {
    fd,
    write: async (bytes) => {
      if (flags !== CREATE_NEW) await truncate(fd);
      await writeAll(fd, bytes);
    },
    sync: () => syncDescriptor(fd),
    close: async () => closeSync(fd),
  };
}
