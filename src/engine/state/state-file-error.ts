/** What can go wrong with the directory of an identity: each message names the directory and says what to do. */
import { CodedError, systemCodeOf } from '../../base/coded-error.js';
import { systemReason } from '../../base/system-error.js';
import { FileLockError } from './file-lock.js';
import type { SettingNames } from './setting-names.js';

type Code =
  | 'missing'
  | 'not-a-directory'
  | 'not-writable'
  | 'disk-full'
  | 'in-use'
  | 'no-lock'
  | 'unreadable'
  | 'failed';

export class StateFileError extends CodedError<Code> {}

/** A directory of state, and what errors call its setting. */
export interface StateDirectory {
  readonly path: string;
  readonly names: Pick<SettingNames, 'directory' | 'whenInUse'>;
}

const CODE_OF: Readonly<Record<string, Code>> = {
  ENOENT: 'missing',
  ENOTDIR: 'not-a-directory',
  EEXIST: 'not-a-directory',
  EACCES: 'not-writable',
  EPERM: 'not-writable',
  EROFS: 'not-writable',
  // O_NOFOLLOW on a lock file that is a link.
  ELOOP: 'not-writable',
  ENOSPC: 'disk-full',
  EDQUOT: 'disk-full',
};

/** Wraps whatever the file system or the lock threw. */
export function asStateFileError(error: unknown, directory: StateDirectory): StateFileError {
  if (error instanceof StateFileError) return error;
  const code = CODE_OF[systemCodeOf(error) ?? ''] ?? (error instanceof FileLockError ? 'no-lock' : 'failed');
  return new StateFileError(code, textOf(code, directory, reasonOf(error)), { cause: error });
}

function textOf(code: Code, { path, names: { directory } }: StateDirectory, reason: string): string {
  switch (code) {
    case 'missing':
      return `there is no directory ${path}: create it, or name another with ${directory}`;
    case 'not-a-directory':
      return `${path} is not a directory: name another with ${directory}`;
    case 'not-writable':
      return `cannot write in ${path} (${reason}): make it writable for this user, or name another with ${directory}`;
    case 'disk-full':
      return `no space is left in ${path} (${reason}): free some, or name another directory with ${directory}`;
    case 'no-lock':
      return `cannot make sure that no other process uses the identity in ${path}: ${reason}`;
    default:
      return `cannot write in ${path} (${reason}): name another directory with ${directory}`;
  }
}

/** Returns the cause in words. */
export const reasonOf = (error: unknown): string =>
  systemReason(error, { ENOENT: 'no such directory', ELOOP: 'its tox_save.lock is a link' });
