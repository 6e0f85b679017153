/** Files that people write: read whole, and never by accident something endless. */
import { readFileSync, statSync } from 'node:fs';
import { CodedError, systemCodeOf } from '../base/coded-error.js';

/** The message names the file and the reason. */
export class FileError extends CodedError<'unreadable' | 'too-large'> {}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  ENOTDIR: 'there is no such file',
  EACCES: 'this user may not read it',
  EISDIR: 'it is a directory',
};

/**
 * @param limit bytes
 * @throws FileError
 */
export function readSmallFile(path: string, limit: number): Buffer {
  try {
    if (statSync(path).size > limit)
      throw new FileError('too-large', `cannot use ${path}: it has more than ${limit} bytes`);
    return readFileSync(path);
  } catch (error) {
    if (error instanceof FileError) throw error;
    const reason = REASONS[systemCodeOf(error) ?? ''] ?? 'it cannot be read';
    throw new FileError('unreadable', `cannot read ${path}: ${reason}`, { cause: error });
  }
}
