/**
 * An exclusive lock that the kernel holds for us. Node has no flock(2), so util-linux's command takes the lock on a
 * descriptor that it inherits: the lock belongs to the open file, outlives the command, and ends with our process, however
 * that ends. A file with a process number in it cannot do this.
 */
import { spawnSync } from 'node:child_process';
import { CodedError, systemCodeOf } from '../../base/coded-error.js';
import { helperEnvironment } from '../../base/helper-environment.js';

export class FileLockError extends CodedError<'no-flock' | 'failed'> {}

/** Takes the lock. @returns false when another open file has it @throws FileLockError */
export type LockFile = (fd: number) => boolean;

/** The number under which the command inherits the descriptor. */
const INHERITED_FD = 3;
/** The status of flock when another process has the lock; other errors have other statuses, or a message. */
const HELD_STATUS = 1;

export const lockFile: LockFile = (fd) => {
  const result = spawnSync('flock', ['-n', '-x', String(INHERITED_FD)], {
    env: helperEnvironment(),
    stdio: ['ignore', 'ignore', 'pipe', fd],
  });
  if (result.error !== undefined) {
    const message =
      systemCodeOf(result.error) === 'ENOENT'
        ? 'the command flock is missing: install the package util-linux'
        : `the command flock cannot be run: ${result.error.message}`;
    throw new FileLockError('no-flock', message, { cause: result.error });
  }
  if (result.status === 0) return true;
  const text = result.stderr.toString().trim();
  if (result.status === HELD_STATUS && text === '') return false;
  throw new FileLockError('failed', `the command flock failed: ${text.split('\n', 1)[0]}`);
};
