/**
 * The pid file (`-F`), for scripts that send signals. Process IDs are reused, so a running process holds a lock on its file, which
 * the kernel releases however the process ends. A file without a lock is stale.
 *
 * Root sends signals by it. So where root runs a process of another user, the file belongs to root, and the process inherits a
 * descriptor that only reads, and keeps the lock. Root creates no file in a directory that other users can change.
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
import { CodedError } from '../../base/coded-error.js';
import type { Logger } from '../../base/logger.js';
import { systemReason } from '../../base/system-error.js';
import { untrustedPart } from './trusted-path.js';

/** The message names the file and says what to do. */
export class PidFileError extends CodedError<'in-use' | 'not-writable'> {}

/** Takes the lock; returns false if another open file has it. */
export type LockFile = (fd: number) => boolean;

const FILE_MODE = 0o644;
/** bytes; more than any process ID has. */
const PID_TEXT_SIZE = 20;
const ROOT = 0;
/** How often the file may vanish between being opened and being locked: each time another process has just exited. */
const TRIES = 10;

/** Tells the process of another user what root did about the pid file. */
const MARK = 'TUNTOX_PID_FILE';
const HELD = 'held';
const UNTRUSTED = 'untrusted directory';

/** For the environment of that process. @param file undefined if its directory is not trusted */
export const pidFileMark = (file: PidFile | undefined): Readonly<Record<string, string>> => ({
  [MARK]: file === undefined ? UNTRUSTED : HELD,
});

interface OwnProcess {
  readonly process: Pick<NodeJS.Process, 'env' | 'pid'>;
  readonly log: Pick<Logger, 'warn'>;
}

/** Creates the pid file of this process, unless root holds it. Called once. @throws PidFileError, and what the lock throws */
export function ownPidFile(
  { process: { env, pid }, log }: OwnProcess,
  path: string | undefined,
  lock: LockFile,
): PidFile | undefined {
  const { [MARK]: mark } = env;
  delete env[MARK];
  if (path === undefined || mark === HELD) return undefined;
  if (mark === UNTRUSTED) {
    const directory = dirname(resolve(path));
    log.warn(
      `users other than root can change ${directory}: root should not send signals by ${path}, but by a file in /run`,
    );
  }
  return PidFile.create(path, pid, lock);
}

export class PidFile {
  readonly path: string;
  readonly #fd: number;
  /** The same file, open for reading: it has the lock. */
  readonly lockFd: number;
  #isClosed = false;

  private constructor(path: string, fd: number, lockFd: number) {
    this.path = path;
    this.#fd = fd;
    this.lockFd = lockFd;
  }

  /** @throws PidFileError, and what the lock throws */
  static create(path: string, pid: number, lock: LockFile): PidFile {
    const file = PidFile.#claim(path, lock, () => true);
    file.write(pid);
    return file;
  }

  /**
   * Creates the file of root for a process of another user, which inherits `lockFd`.
   * @returns undefined in a directory that other users can change: they could create the file, or replace it by a link
   * @throws PidFileError, and what the lock throws
   */
  static hold(path: string, lock: LockFile): PidFile | undefined {
    if (isUntrusted(dirname(resolve(path)))) return undefined;
    return PidFile.#claim(path, lock, (fd) => {
      if (fstatSync(fd).uid !== ROOT) {
        // Its owner could write another process ID into it.
        unlinkSync(path);
        return false;
      }
      fchmodSync(fd, FILE_MODE);
      ftruncateSync(fd);
      return true;
    });
  }

  /** Opens and locks the file, or creates it. @param isUsable false to try again */
  static #claim(path: string, lock: LockFile, isUsable: (fd: number) => boolean): PidFile {
    for (let tries = TRIES; tries > 0; tries -= 1) {
      const opened = [open(path, constants.O_RDWR)];
      try {
        opened.push(open(path, constants.O_RDONLY));
        const [fd, lockFd] = opened as [number, number];
        if (isStillNamed(path, fd) && isStillNamed(path, lockFd)) {
          if (!lock(lockFd)) throw new PidFileError('in-use', inUse(path, lockFd));
          // Another process may have removed the file before it was locked: then the lock is on a file without a name.
          if (isStillNamed(path, lockFd) && isUsable(fd)) return new PidFile(path, fd, lockFd);
        }
      } catch (error) {
        for (const fd of opened) closeSync(fd);
        throw error instanceof CodedError ? error : notWritable(path, systemReason(error, REASONS), error);
      }
      for (const fd of opened) closeSync(fd);
    }
    throw new PidFileError(
      'in-use',
      `${path} is being created and removed by another process: name another file with -F`,
    );
  }

  write(pid: number): void {
    ftruncateSync(this.#fd);
    writeSync(this.#fd, `${pid}\n`, 0);
  }

  /** Closes the file. It stays for the process that inherited the lock. */
  leave(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    closeSync(this.#fd);
    closeSync(this.lockFd);
  }

  /** Never throws. A file that cannot be removed stays empty. */
  remove(): void {
    if (this.#isClosed) return;
    try {
      // This is always permitted.
      ftruncateSync(this.#fd);
      if (isStillNamed(this.path, this.#fd)) unlinkSync(this.path);
    } catch {
      // Without its lock the file is stale.
    }
    this.leave();
  }
}

const REASONS = { ENOENT: 'no such directory', ENOTDIR: 'no such directory', ELOOP: 'it is a symbolic link' };

/**
 * Opens or creates a plain file: not through a symbolic or hard link, which any user could have put into a directory such as /tmp to have a
 * file of ours emptied, and without waiting for a pipe.
 */
function open(path: string, flags: number): number {
  let why: string;
  try {
    const fd = openSync(path, flags | constants.O_CREAT | constants.O_NOFOLLOW | constants.O_NONBLOCK, FILE_MODE);
    const status = fstatSync(fd);
    if (status.isFile() && status.nlink <= 1) return fd;
    why = status.isFile() ? 'it has another name, too' : 'it is not a plain file';
    closeSync(fd);
  } catch (error) {
    throw notWritable(path, systemReason(error, REASONS), error);
  }
  throw notWritable(path, why);
}

function isUntrusted(directory: string): boolean {
  try {
    return untrustedPart(directory) !== undefined;
  } catch {
    // It does not exist: opening the file reports that.
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
  const holder = pid === undefined ? 'another process' : `process ${pid}`;
  return `${path} belongs to ${holder}, which runs: stop it, or name another file with -F`;
}

const notWritable = (path: string, reason: string, cause?: unknown): PidFileError =>
  new PidFileError('not-writable', `cannot write ${path} (${reason}): name another file with -F`, { cause });
