/** What the error codes of the system mean, in words. */
import { messageOf, systemCodeOf } from './coded-error.js';

const REASONS: Readonly<Record<string, string>> = {
  EACCES: 'permission denied',
  EBADF: 'it is not open for this',
  EDQUOT: 'disk quota used up',
  EEXIST: 'it exists already',
  EFBIG: 'the file would be too large',
  EIO: 'the device failed',
  EISDIR: 'it is a directory',
  ELOOP: 'too many symbolic links',
  ENAMETOOLONG: 'the name is too long',
  ENOENT: 'no such file or directory',
  ENOSPC: 'disk full',
  ENOTDIR: 'not a directory',
  ENXIO: 'it is a socket or a device',
  EPERM: 'operation not permitted',
  EROFS: 'read-only file system',
};

/** Returns the reason of a failed system call. @param special what a code means for this call */
export function systemReason(error: unknown, special: Readonly<Record<string, string>> = {}): string {
  const code = systemCodeOf(error) ?? '';
  return special[code] ?? REASONS[code] ?? messageOf(error);
}
