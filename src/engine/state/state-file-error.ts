/** What can go wrong with the directory of an identity, each in one line that names it and says what to do. */
import { CodedError, messageOf, systemCodeOf } from '../../base/coded-error.js';
import { FileLockError } from './file-lock.js';

export type StateFileFault =
  | 'missing'
  | 'not-a-directory'
  | 'not-writable'
  | 'disk-full'
  | 'in-use'
  | 'no-lock'
  | 'unreadable'
  | 'failed';

/** The message names the directory and says what to do. */
export class StateFileError extends CodedError<StateFileFault> {}

const FAULT_OF: Readonly<Record<string, StateFileFault>> = {
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

/** Makes one of whatever the file system or the lock threw. @param named what the setting of the directory is called */
export function asStateFileError(error: unknown, directory: string, named: string): StateFileError {
  if (error instanceof StateFileError) return error;
  return fault(
    FAULT_OF[systemCodeOf(error) ?? ''] ?? (error instanceof FileLockError ? 'no-lock' : 'failed'),
    { directory, named },
    error,
  );
}

function fault(
  code: StateFileFault,
  place: { readonly directory: string; readonly named: string },
  cause: unknown,
): StateFileError {
  return new StateFileError(code, faultText(code, place, reasonOf(cause)), { cause });
}

function faultText(
  code: StateFileFault,
  { directory, named }: { readonly directory: string; readonly named: string },
  reason: string,
): string {
  switch (code) {
    case 'missing':
      return `there is no directory ${directory}: create it, or name another with ${named}`;
    case 'not-a-directory':
      return `${directory} is not a directory: name another with ${named}`;
    case 'not-writable':
      return `cannot write in ${directory} (${reason}): make it writable for this user, or name another with ${named}`;
    case 'disk-full':
      return `no space to keep the identity in ${directory} (${reason}): free some, or name another directory with ${named}`;
    case 'no-lock':
      return `cannot make sure that no other process uses the identity in ${directory}: ${reason}`;
    default:
      return `cannot keep the identity in ${directory}: ${reason}`;
  }
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'no such directory',
  ENOTDIR: 'not a directory',
  EISDIR: 'it is a directory',
  EACCES: 'permission denied',
  EPERM: 'operation not permitted',
  EROFS: 'read-only file system',
  ELOOP: 'its tox_save.lock is a link',
  ENOSPC: 'disk full',
  EDQUOT: 'disk quota used up',
};

/** The cause in words. */
export const reasonOf = (error: unknown): string => REASONS[systemCodeOf(error) ?? ''] ?? messageOf(error);
