/** What we need of the file system to keep a file safe; tests pass one in that fails where they want. */
import { constants, mkdirSync, statSync } from 'node:fs';
import { open, readFile, realpath, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { systemCodeOf } from '../base/coded-error.js';

export interface FileStatus {
  readonly isFile: boolean;
  readonly isDirectory: boolean;
  readonly mode: number;
  /** Bytes. */
  readonly size: number;
}

export interface OpenFile {
  readonly fd: number;
  write(bytes: Buffer): Promise<void>;
  /** Resolves once all that was written is on the disk. */
  sync(): Promise<void>;
  close(): Promise<void>;
}

export interface FileSystem {
  /** With its parents; an existing one is left as it is. */
  makeDirectory(path: string, mode: number): Promise<void>;
  /** Follows links. */
  status(path: string): Promise<FileStatus>;
  /** The path behind all links. */
  realPath(path: string): Promise<string>;
  read(path: string): Promise<Buffer>;
  /** Creates a file that must not exist, not even as a link. */
  createNew(path: string, mode: number): Promise<OpenFile>;
  /** Opens for writing, keeping what is there; creates the file when it is missing. */
  openOrCreate(path: string, mode: number): Promise<OpenFile>;
  openDirectory(path: string): Promise<OpenFile>;
  rename(from: string, to: string): Promise<void>;
  /** Does nothing when there is no such file. */
  remove(path: string): Promise<void>;
}

export const nodeFileSystem: FileSystem = {
  makeDirectory: async (path, mode) => {
    makeDirectories(path, mode);
  },
  status: async (path) => {
    const found = await stat(path);
    return { isFile: found.isFile(), isDirectory: found.isDirectory(), mode: found.mode, size: found.size };
  },
  realPath: (path) => realpath(path),
  read: (path) => readFile(path),
  createNew: (path, mode) => openFile(path, 'wx', mode),
  openOrCreate: (path, mode) => openFile(path, constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW, mode),
  openDirectory: (path) => openFile(path, 'r', undefined),
  rename: (from, to) => rename(from, to),
  remove: (path) => rm(path, { force: true }),
};

/**
 * With its parents. Node's own way to do so runs for ever where a directory takes none, as /proc, and says of a read-only disk
 * that there is no such file.
 * @returns false when it was there @throws system errors; EEXIST when something else is there
 */
export function makeDirectories(path: string, mode: number): boolean {
  try {
    mkdirSync(path, { mode });
    return true;
  } catch (error) {
    const code = systemCodeOf(error);
    if (code === 'EEXIST' && statSync(path).isDirectory()) return false;
    // Its parent is there already: this is all that can be said.
    if (code !== 'ENOENT' || !makeDirectories(dirname(path), mode)) throw error;
    return makeDirectories(path, mode);
  }
}

async function openFile(path: string, flags: string | number, mode: number | undefined): Promise<OpenFile> {
  const handle = await open(path, flags, mode);
  return {
    fd: handle.fd,
    write: async (bytes) => {
      await handle.truncate(0);
      await handle.writeFile(bytes);
    },
    sync: () => handle.sync(),
    close: () => handle.close(),
  };
}
