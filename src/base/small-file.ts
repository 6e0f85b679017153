/** Files that people write: read whole, and never by accident something endless. */
import { accessSync, closeSync, constants, fstatSync, openSync, readFileSync, type Stats, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { readUpTo } from './bounded-read.js';
import { CodedError, systemCodeOf } from './coded-error.js';

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
  EBADF: 'there is no such file',
  // A socket, or a device that nothing belongs to.
  ENXIO: 'it is a socket or a device: name a file',
};

/** How shells name a pipe, as for `<(…)`, and standard input. */
const GIVEN_OPEN = /^\/dev\/stdin$|^(?:\/dev|\/proc\/self)\/fd\/([0-9]{1,9})$/;
/** Device 1:3, which stands for an empty file. */
const NULL_DEVICE = 0x103;

export interface ReadOptions {
  /**
   * Whether /dev/stdin and `<(…)` may be a pipe or a terminal. Then this call waits for whoever writes there, and no listener
   * hears a signal meanwhile: call it before there are any, and signals end the process.
   */
  readonly mayWait?: boolean;
}

/** Whether it names what this process was given open, which is meant to be read even where it is a pipe. */
export const isGivenOpen = (path: string): boolean => GIVEN_OPEN.test(path);

/**
 * Never waits, unless it may: something else than a file is refused.
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

function readSome(path: string, limit: number, mayWait: boolean): Buffer {
  const [given, number = 0] = (mayWait && GIVEN_OPEN.exec(path)) || [];
  // A socket, as Node makes for standard input of what it starts, can be read, but not be opened again.
  if (given !== undefined && fstatSync(Number(number)).isSocket()) return readUpTo(Number(number), limit, { mayWait });
  // To open a pipe waits for who writes to it, and to open a terminal could make it ours.
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

/** Undefined for a file, for a directory, which the system refuses to read, and for /dev/null. */
function specialKindOf(status: Stats): string | undefined {
  if (status.isFIFO()) return 'a pipe';
  const isDevice = status.isBlockDevice() || (status.isCharacterDevice() && status.rdev !== NULL_DEVICE);
  return isDevice ? 'a device' : undefined;
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
