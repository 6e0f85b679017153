/**
 * The file with our process number (`-F`), for scripts that send signals. Numbers are used again, so a file alone says nothing:
 * who runs holds a lock on it, which the kernel releases however it ends, and a file without a lock is stale.
 *
 * Root sends signals by it, so where root starts a process of a user's the file is root's, and that process cannot write into it:
 * it inherits a descriptor that only reads, which keeps the lock. In a directory that others may change root makes none.
 */
import {
  closeSync,
  constants,
  fchmodSync,
  fstatSync,
  ftruncateSync,
  lstatSync,
  openSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { dirname, resolve } from 'node:path';
import { readUpTo } from '../../base/bounded-read.js';
import { CodedError, systemCodeOf } from '../../base/coded-error.js';
import type { Logger } from '../../base/logger.js';
import { foreignPart } from './trusted-path.js';

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

/** Tells the process of a user's what root has done about its file; with it, nothing of the caller's environment counts. */
const MARK = 'TUNTOX_PID_FILE';

type MadeByRoot = 'held' | 'not in such a directory';

/** To be asked once, at the start. @returns undefined when no root has started this process as a user's, with such a file */
function madeByRoot({ env }: Pick<NodeJS.Process, 'env'>): MadeByRoot | undefined {
  const { [MARK]: mark } = env;
  delete env[MARK];
  return mark === 'held' || mark === 'not in such a directory' ? mark : undefined;
}

/** For the environment of that process. */
export const pidFileMark = (file: PidFile | undefined): Readonly<Record<string, string>> => ({
  [MARK]: (file === undefined ? 'not in such a directory' : 'held') satisfies MadeByRoot,
});

interface OwnProcess {
  readonly process: Pick<NodeJS.Process, 'env' | 'pid'>;
  readonly log: Pick<Logger, 'warn'>;
}

/** That of this process, unless root has it. @throws PidFileError, and what the lock throws */
export function ownPidFile(
  { process, log }: OwnProcess,
  path: string | undefined,
  lock: LockFile,
): PidFile | undefined {
  const made = madeByRoot(process);
  if (path === undefined || made === 'held') return undefined;
  if (made !== undefined) {
    const directory = dirname(resolve(path));
    log.warn(
      `users other than root can change ${directory}: root should not send signals by ${path}, but by one in /run`,
    );
  }
  return PidFile.create(path, process.pid, lock);
}

export class PidFile {
  readonly path: string;
  readonly #fd: number;
  /** Of the same file, for reading; undefined where the lock is on the other one. */
  readonly #lockFd: number | undefined;
  #isClosed = false;

  private constructor(path: string, fd: number, lockFd?: number) {
    this.path = path;
    this.#fd = fd;
    this.#lockFd = lockFd;
  }

  /** @throws PidFileError, and what the lock throws */
  static create(path: string, pid: number, lock: LockFile): PidFile {
    for (let tries = TRIES; tries > 0; tries -= 1) {
      const fd = open(path);
      try {
        if (!lock(fd)) throw new PidFileError('in-use', inUse(path, fd));
        // Another process may have removed the file between open and lock: then the lock is on a file without a name.
        if (isStillNamed(path, fd)) {
          const file = new PidFile(path, fd);
          file.write(pid);
          return file;
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
   * By root, for a process of a user's that inherits `lockFd`.
   * @returns undefined in a directory that others may change: whoever may write there can make the file, or could have it lead elsewhere
   * @throws PidFileError, and what the lock throws
   */
  static hold(path: string, lock: LockFile): PidFile | undefined {
    if (isForeign(dirname(resolve(path)))) return undefined;
    for (let tries = TRIES; tries > 0; tries -= 1) {
      const fd = open(path);
      const lockFd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
      try {
        const { uid, ino } = fstatSync(fd);
        if (fstatSync(lockFd).ino === ino && isStillNamed(path, fd)) {
          if (!lock(lockFd)) throw new PidFileError('in-use', inUse(path, fd));
          if (uid === ROOT) {
            fchmodSync(fd, FILE_MODE);
            ftruncateSync(fd);
            return new PidFile(path, fd, lockFd);
          }
          // Its owner could write another number into it.
          unlinkSync(path);
        }
      } catch (error) {
        closeSync(fd);
        closeSync(lockFd);
        throw error instanceof CodedError ? error : notWritable(path, error);
      }
      closeSync(fd);
      closeSync(lockFd);
    }
    throw new PidFileError('in-use', `${path} appears and vanishes again and again: another process uses it too`);
  }

  /** To be inherited. */
  get lockFd(): number {
    return this.#lockFd ?? this.#fd;
  }

  write(pid: number): void {
    ftruncateSync(this.#fd);
    writeSync(this.#fd, `${pid}\n`, 0);
  }

  /** Whoever inherited the lock goes on. */
  leave(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#close();
  }

  /** Never throws. Where it may not be removed, an empty file says the same. */
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
    this.#close();
  }

  #close(): void {
    closeSync(this.#fd);
    if (this.#lockFd !== undefined) closeSync(this.#lockFd);
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
