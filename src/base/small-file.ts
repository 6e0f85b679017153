/** Reads files that people write, up to a limit, and never a device or a pipe by accident. */
import { accessSync, closeSync, constants, fstatSync, openSync, readFileSync, type Stats, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { readUpTo } from './bounded-read.js';
import { CodedError, systemCodeOf } from './coded-error.js';
import { systemReason } from './system-error.js';

/** The message names the file and the reason, and says what to do. */
export class FileError extends CodedError<'unreadable' | 'too-large'> {}

const ROOT = 0;
const READABLE_BY_GROUP = 0o040;
const READABLE_BY_ALL = 0o004;
const GROUPS = '/etc/group';

const REASONS = {
  ENOENT: 'there is no such file',
  ENOTDIR: 'there is no such file',
  EBADF: 'there is no such file',
  ENXIO: 'it is a socket or a device: name a file',
};

/** The names of standard input, and of the pipe of `<(…)`. */
const GIVEN_OPEN = /^\/dev\/stdin$|^(?:\/dev|\/proc\/self)\/fd\/([0-9]{1,9})$/;
/** Device 1:3: an empty file. */
const NULL_DEVICE = 0x103;

export interface ReadOptions {
  /**
   * Whether /dev/stdin and `<(…)` may be a pipe or a terminal. Then this call blocks until its end, and signals have no listeners
   * meanwhile: call it before there are any, so that signals end the process.
   */
  readonly mayWait?: boolean;
}

/** Returns whether the path names a descriptor that this process inherited, which may be a pipe. */
export const isGivenOpen = (path: string): boolean => GIVEN_OPEN.test(path);

/**
 * Refuses anything but a file.
 * @param limit bytes
 * @throws FileError
 */
export function readSmallFile(path: string, limit: number, { mayWait = false }: ReadOptions = {}): Buffer {
  try {
    const bytes = readSome(path, limit + 1, mayWait);
    if (bytes.length > limit) throw new FileError('too-large', `cannot use ${path}: it has more than ${limit} bytes`);
    return bytes;
  } catch (error) {
    if (error instanceof FileError) throw error;
    const reason = systemCodeOf(error) === 'EACCES' ? refusal(path) : systemReason(error, REASONS);
    throw new FileError('unreadable', `cannot read ${path}: ${reason}`, { cause: error });
  }
}

/**
 * Returns whether other users can read the file. A file of root that our group can read is private: we can read it, but not change
 * it.
 */
export function isReadableByOthers(path: string): boolean {
  const { mode, uid, gid } = statSync(path);
  const isOurs = uid === ROOT && gid === process.getegid?.();
  return (mode & (isOurs ? READABLE_BY_ALL : READABLE_BY_ALL | READABLE_BY_GROUP)) !== 0;
}

function readSome(path: string, limit: number, mayWait: boolean): Buffer {
  const [given, number = 0] = (mayWait && GIVEN_OPEN.exec(path)) || [];
  // A socket, such as the standard input of a child of Node, cannot be opened again.
  if (given !== undefined && fstatSync(Number(number)).isSocket()) return readUpTo(Number(number), limit, { mayWait });
  // Without these flags, opening a pipe would wait for a writer, and a terminal could become ours.
  const { O_RDONLY, O_NONBLOCK, O_NOCTTY } = constants;
  const file = openSync(path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
  try {
    const what = given !== undefined ? undefined : specialKindOf(fstatSync(file));
    if (what !== undefined) throw new FileError('unreadable', `cannot read ${path}: it is ${what}: name a file`);
    return readUpTo(file, limit, { mayWait: given !== undefined });
  } finally {
    closeSync(file);
  }
}

/** Returns undefined for a file, for a directory, which the system refuses to read, and for /dev/null. */
function specialKindOf(status: Stats): string | undefined {
  if (status.isFIFO()) return 'a pipe';
  const isDevice = status.isBlockDevice() || (status.isCharacterDevice() && status.rdev !== NULL_DEVICE);
  return isDevice ? 'a device' : undefined;
}

/** Says why this user cannot read the file, and what to do. */
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

/** Returns the name of our group, or its ID. */
function ownGroup(): string {
  const id = String(process.getegid?.() ?? '');
  try {
    const lines = readFileSync(GROUPS, 'utf8').split('\n');
    return lines.find((line) => line.split(':')[2] === id)?.split(':', 1)[0] ?? id;
  } catch {
    return id;
  }
}
