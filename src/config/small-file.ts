/** Files that people write: read whole, and never by accident something endless. */
import { accessSync, closeSync, constants, openSync, readFileSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { readUpTo } from '../base/bounded-read.js';
import { CodedError, systemCodeOf } from '../base/coded-error.js';

/** The message names the file and the reason, and says what to do where that is not obvious. */
export class FileError extends CodedError<'unreadable' | 'too-large'> {}

const ROOT = 0;
const READABLE_BY_GROUP = 0o040;
const READABLE_BY_ALL = 0o004;
const GROUPS = '/etc/group';

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  ENOTDIR: 'there is no such file',
  EISDIR: 'it is a directory',
};

/**
 * @param limit bytes
 * @throws FileError
 */
export function readSmallFile(path: string, limit: number): Buffer {
  try {
    const bytes = readSome(path, limit + 1);
    if (bytes.length > limit) throw new FileError('too-large', `cannot use ${path}: it has more than ${limit} bytes`);
    return bytes;
  } catch (error) {
    if (error instanceof FileError) throw error;
    const code = systemCodeOf(error) ?? '';
    const reason = code === 'EACCES' ? refusal(path) : (REASONS[code] ?? `it cannot be read, ${code}`);
    throw new FileError('unreadable', `cannot read ${path}: ${reason}`, { cause: error });
  }
}

/**
 * Whether users other than the owner may read a file that has just been read. One of root's that our own group may read is as
 * private as it can be: we may read it, and not change it.
 */
export function isReadableByOthers(path: string): boolean {
  const { mode, uid, gid } = statSync(path);
  const isOurs = uid === ROOT && gid === process.getegid?.();
  return (mode & (isOurs ? READABLE_BY_ALL : READABLE_BY_ALL | READABLE_BY_GROUP)) !== 0;
}

function readSome(path: string, limit: number): Buffer {
  const file = openSync(path, 'r');
  try {
    return readUpTo(file, limit);
  } finally {
    closeSync(file);
  }
}

/** Why this user may not read it, and what root can do about that. */
function refusal(path: string): string {
  const directory = dirname(path);
  try {
    accessSync(directory, constants.X_OK);
  } catch {
    return `this user may not enter ${directory}: move the file to a directory that it may enter, such as /etc/tuntox`;
  }
  const isOwn = statSync(path).uid === process.geteuid?.();
  const how = isOwn ? `run chmod 600 ${path}` : `as root, run chgrp ${ownGroup()} ${path} and chmod 640 ${path}`;
  return `this user may not read it: ${how}`;
}

/** By its name, if this machine's own list has one. */
function ownGroup(): string {
  const id = String(process.getegid?.() ?? '');
  try {
    const lines = readFileSync(GROUPS, 'utf8').split('\n');
    return lines.find((line) => line.split(':')[2] === id)?.split(':', 1)[0] ?? id;
  } catch {
    return id;
  }
}
