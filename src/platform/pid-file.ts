/**
 * The file with our process number (`-F`), for scripts that send signals. Numbers are used again, so a file alone says nothing:
 * who runs holds a lock on it, which the kernel releases however it ends, and a file without a lock is stale.
 */
import {
  closeSync,
  constants,
  fchownSync,
  fstatSync,
  ftruncateSync,
  lstatSync,
  openSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { dirname, resolve } from 'node:path';
import { readUpTo } from '../base/bounded-read.js';
import { CodedError, systemCodeOf } from '../base/coded-error.js';
import { foreignPart } from './foreign-part.js';
import type { User } from './privileges.js';

/** The message names the file and says what to do. */
export class PidFileError extends CodedError<'in-use' | 'not-writable'> {}

/** Takes the lock or, returning false, finds that another open file has it. */
export type LockFile = (fd: number) => boolean;

const FILE_MODE = 0o644;
/** bytes; more than any number of a process has. */
const PID_TEXT_SIZE = 20;
const ROOT = 0;
const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'no such directory',
  ENOTDIR: 'no such directory',
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  EROFS: 'the disk is read-only',
  ENOSPC: 'the disk is full',
  EISDIR: 'it is a directory',
  ELOOP: 'it is a link',
};
/** How often a file may vanish between being opened and being locked: each time another process has just ended. */
const TRIES = 10;

export class PidFile {
  readonly path: string;
  readonly #fd: number;
  #isClosed = false;

  private constructor(path: string, fd: number) {
    this.path = path;
    this.#fd = fd;
  }

  /** @throws PidFileError, and what the lock throws */
  static create(path: string, pid: number, lock: LockFile): PidFile {
    for (let tries = TRIES; tries > 0; tries -= 1) {
      const fd = open(path);
      try {
        if (!lock(fd)) throw new PidFileError('in-use', inUse(path, fd));
        // Another process may have removed the file between open and lock: then the lock is on a file without a name.
        if (isStillNamed(path, fd)) {
          return new PidFile(path, fd).#say(pid);
        }
      } catch (error) {
        closeSync(fd);
        throw error instanceof CodedError ? error : notWritable(path, error);
      }
      closeSync(fd);
    }
    throw new PidFileError('in-use', `${path} appears and vanishes again and again: another process uses it too`);
  }

  /**
   * By root, for a process of a user's that may not make it there; that one says what is wrong with it. In a directory that
   * others may change nothing is done: whoever may write there can make it, or could have it lead elsewhere.
   * @throws PidFileError, and what the lock throws
   */
  static prepare(path: string, { uid, gid }: User, lock: LockFile): void {
    if (isForeign(dirname(resolve(path)))) return;
    const fd = open(path);
    const status = fstatSync(fd);
    if (status.uid === ROOT && lock(fd)) {
      ftruncateSync(fd);
      fchownSync(fd, uid, gid);
    }
    closeSync(fd);
  }

  /** Never throws. Who is no longer root may not be allowed to remove it: an empty file then says the same. */
  remove(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    try {
      // First, for it is always allowed.
      ftruncateSync(this.#fd);
      if (isStillNamed(this.path, this.#fd)) unlinkSync(this.path);
    } catch {
      // Without its lock it is stale.
    }
    closeSync(this.#fd);
  }

  #say(pid: number): this {
    ftruncateSync(this.#fd);
    writeSync(this.#fd, `${pid}\n`, 0);
    return this;
  }
}

/**
 * Not through a link of either kind, which in a directory such as /tmp anybody could have put there, to have us empty a file of
 * ours; nor waiting for a pipe.
 */
function open(path: string): number {
  const { O_RDWR, O_CREAT, O_NOFOLLOW, O_NONBLOCK } = constants;
  let why: string;
  try {
    const fd = openSync(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK, FILE_MODE);
    const status = fstatSync(fd);
    if (status.isFile() && status.nlink <= 1) return fd;
    why = status.isFile() ? 'it has another name, too' : 'it is not a plain file';
    closeSync(fd);
  } catch (error) {
    throw notWritable(path, error);
  }
  throw new PidFileError('not-writable', `cannot write ${path} (${why}): name another file with -F`);
}

function isForeign(directory: string): boolean {
  try {
    return foreignPart(directory) !== undefined;
  } catch {
    // It is not there, which is said when the file is opened.
    return false;
  }
}

function isStillNamed(path: string, fd: number): boolean {
  try {
    const named = lstatSync(path);
    const opened = fstatSync(fd);
    return named.ino === opened.ino && named.dev === opened.dev;
  } catch {
    return false;
  }
}

function inUse(path: string, fd: number): string {
  const pid = /^[0-9]{1,10}(?=\n$)/.exec(readUpTo(fd, PID_TEXT_SIZE).toString('latin1'))?.[0];
  const who = pid === undefined ? 'another process' : `process ${pid}`;
  return `${path} belongs to ${who}, which runs: stop that one, or name another file with -F`;
}

function notWritable(path: string, error: unknown): PidFileError {
  const code = systemCodeOf(error);
  const reason = REASONS[code ?? ''] ?? code ?? String(error);
  return new PidFileError('not-writable', `cannot write ${path} (${reason}): name another file with -F`, {
    cause: error,
  });
}
