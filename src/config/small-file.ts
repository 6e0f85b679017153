/** Files that people write: read whole, and never by accident something endless. */
import { closeSync, openSync, statSync } from 'node:fs';
import { readUpTo } from '../base/bounded-read.js';
import { CodedError, systemCodeOf } from '../base/coded-error.js';
import { inheritedAt, takeInheritedFile } from '../base/inheritance.js';

/** The message names the file and the reason. */
export class FileError extends CodedError<'unreadable' | 'too-large'> {}

const READABLE_BY_OTHERS = 0o044;

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
    const bytes = takeInheritedFile(path) ?? readSome(path, limit + 1);
    if (bytes.length > limit) throw new FileError('too-large', `cannot use ${path}: it has more than ${limit} bytes`);
    return bytes;
  } catch (error) {
    if (error instanceof FileError) throw error;
    const reason = REASONS[systemCodeOf(error) ?? ''] ?? 'it cannot be read';
    throw new FileError('unreadable', `cannot read ${path}: ${reason}`, { cause: error });
  }
}

/** Whether users other than the owner may read a file that has just been read. */
export function isReadableByOthers(path: string): boolean {
  const inherited = inheritedAt(path);
  const mode = inherited?.kind === 'file' ? inherited.mode : statSync(path).mode;
  return (mode & READABLE_BY_OTHERS) !== 0;
}

function readSome(path: string, limit: number): Buffer {
  const file = openSync(path, 'r');
  try {
    return readUpTo(file, limit);
  } finally {
    closeSync(file);
  }
}
