/** Why tuntoxctl cannot connect to the daemon. Loaded only when that happened. */
import { readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { CodedError } from '../../base/coded-error.js';
import { SERVICE_COMMANDS } from '../../base/daemon-service.js';
import { readSmallFile } from '../../base/small-file.js';
import { userDirectories } from '../../base/user-directories.js';
import { ControlError } from '../../control/control-error.js';
import { CtlError, sameVersion } from './ctl-error.js';
import type { SocketPlace } from './socket-place.js';

/** Says why there is no connection, and what to do. */
export async function connectionError(error: unknown, socket: SocketPlace): Promise<unknown> {
  if (error instanceof ControlError && error.code === 'version') {
    return new CtlError('version', error.message, {
      hint: sameVersion(socket.owner),
      cause: error,
    });
  }
  if (error instanceof ControlError && error.code === 'timeout') {
    const { restart, log } = SERVICE_COMMANDS[socket.owner];
    const hint = `it hangs, or this machine is very busy: see ${log}; to restart it, which closes its tunnels: ${restart}`;
    return new CtlError('timeout', error.message, { hint, cause: error });
  }
  const { IpcError } = await import('../../control/ipc.js');
  if (!(error instanceof IpcError)) return error;
  if (error.code === 'permission') return permissionError(error, socket);
  return lostSocketError(error, socket) ?? noSocketError(error, socket) ?? notRunningError(error, socket);
}

/** The path leads to something other than a socket. */
function noSocketError(cause: unknown, { path, from }: SocketPlace): CtlError | undefined {
  const status = statSync(path, { throwIfNoEntry: false });
  if (status === undefined || status.isSocket()) return undefined;
  const message = `${path}${SOURCE[from]} is not a socket`;
  return new CtlError('not-running', message, { hint: "use --socket with the daemon's socket.path", cause });
}

function lostSocketError(error: CodedError<string>, { path, from, owner, missing }: SocketPlace): CtlError | undefined {
  if (error.code !== 'not-running') return undefined;
  const own: SocketPlace | undefined = missing === undefined ? undefined : { path: missing, from, owner: 'user' };
  const lostOwn = own === undefined ? undefined : lostSocketError(error, own);
  if (lostOwn !== undefined) return lostOwn;
  const lock = owner === 'user' ? join(userDirectories(process.env).state, LOCK) : SYSTEM.lock;
  const daemon = lostDaemon(path, from === 'default', { ...SYSTEM, lock });
  const { hangUp, log } = SERVICE_COMMANDS[owner];
  if (daemon === undefined) return undefined;
  if (daemon.kind === 'listens') {
    return new CtlError('no-socket', `the daemon is running, but its control socket ${path} was deleted`, {
      hint: `the daemon recreates it within 10 s; to recreate it now: ${hangUp}`,
      cause: error,
    });
  }
  return new CtlError('no-socket', `the daemon is running (pid ${daemon.pid}), but has no socket at ${path}`, {
    hint:
      `if its socket.path is elsewhere, use --socket; otherwise the socket was deleted and could not be recreated: see ${log}, ` +
      `then retry with ${owner === 'user' ? '' : 'sudo '}kill -HUP ${daemon.pid} (a restart would drop the tunnels)`,
    cause: error,
  });
}

const SOURCE = { option: '', environment: ' (from TUNTOX_SOCKET)', default: '' } as const;

function notRunningError(error: CodedError<string>, { path, from, owner, missing }: SocketPlace): CtlError {
  if (error.code !== 'not-running') return new CtlError('failed', error.message, { cause: error });
  if (missing !== undefined) return noneRunningError(error, { path, missing });
  const { start, log } = SERVICE_COMMANDS[owner];
  const isElsewhere = from === 'default' ? '; if its socket.path is elsewhere, use --socket' : '';
  const hint = `to start it: ${start}; to see why it stopped: ${log}${isElsewhere}`;
  const whose = owner === 'user' ? 'your own daemon' : 'the daemon';
  const message = `${whose} is not running: nothing listens on ${path}${SOURCE[from]}`;
  return new CtlError('not-running', message, { hint, cause: error });
}

/** Neither the user's own daemon nor that of this machine. */
function noneRunningError(cause: unknown, { path, missing }: { readonly path: string; readonly missing: string }) {
  const message = `no daemon is running: nothing listens on ${path} (this machine's) or ${missing} (your own)`;
  const { system, user } = SERVICE_COMMANDS;
  const hint = `to start that of this machine: ${system.start}; to start your own: ${user.start}; if socket.path is elsewhere, use --socket`;
  return new CtlError('not-running', message, { hint, cause });
}

function permissionError(cause: unknown, { path, missing }: SocketPlace): CtlError {
  const group = groupOf(path);
  const own = missing === undefined ? '' : `; or start a daemon of your own: ${SERVICE_COMMANDS.user.start}`;
  const message = `permission denied for ${path}`;
  if (group === undefined) {
    return new CtlError('permission', message, { hint: `run it as root: sudo tuntoxctl …${own}`, cause });
  }
  return new CtlError('permission', `${message}: only members of the group ${group} may use it`, {
    hint: `to join the group: sudo usermod -aG ${group} $USER, then log in again; or run it as root: sudo tuntoxctl …${own}`,
    cause,
  });
}

const GROUPS = '/etc/group';
const ROOT = 0;
/** Mode bits: the group may write to a socket, or pass through a directory. */
const GROUP_WRITE = 0o020;
const GROUP_PASS = 0o010;

/** Returns the group that may use the socket; undefined when only root may. Where the socket cannot be seen, its directory tells. */
export function groupOf(path: string, groups: string = GROUPS): string | undefined {
  for (const [place, bit] of [
    [path, GROUP_WRITE],
    [dirname(path), GROUP_PASS],
  ] as const) {
    const found = groupWith(place, bit);
    if (found === 'hidden') continue;
    return found === undefined ? undefined : groupName(found, groups);
  }
  return undefined;
}

function groupWith(place: string, bit: number): number | undefined | 'hidden' {
  try {
    const { gid, mode } = statSync(place);
    return gid !== ROOT && (mode & bit) !== 0 ? gid : undefined;
  } catch {
    return 'hidden';
  }
}

function groupName(gid: number, groups: string): string {
  try {
    const line = readFileSync(groups, 'utf8')
      .split('\n')
      .find((one) => one.split(':')[2] === String(gid));
    return line?.split(':')[0] ?? String(gid);
  } catch {
    return String(gid);
  }
}

export interface LostSocketSources {
  /** Linux' list of Unix sockets, unix(7) and proc(5): a listening socket stays there with the path that it was bound to. */
  readonly sockets: string;
  /** The file in which the daemon of this machine has its process ID; readable by root and its own user. */
  readonly lock: string;
  /** The file with the command line of a process; `PID` stands for its ID. */
  readonly command: string;
}

const LOCK = 'tox_save.lock';
const SYSTEM: LostSocketSources = {
  sockets: '/proc/net/unix',
  lock: `/etc/tuntox/${LOCK}`,
  command: '/proc/PID/cmdline',
};

/** Bytes read of a file; the list has a line for each socket. */
const MAX_BYTES = 16 * 1024 * 1024;
/** __SO_ACCEPTCON: the socket is listening. */
const LISTENS = 0x1_0000;

export type LostDaemon =
  /** It listens, but the file of the socket was deleted. */
  | { readonly kind: 'listens' }
  /** It runs. Its socket is elsewhere, or was deleted and could not be recreated. */
  | { readonly kind: 'runs'; readonly pid: number };

/**
 * Finds a running daemon whose socket cannot be reached at `path`.
 * @param isDefault whether `path` is the default socket of this machine
 */
export function lostDaemon(path: string, isDefault: boolean, sources = SYSTEM): LostDaemon | undefined {
  if (isListening(path, contentOf(sources.sockets))) return { kind: 'listens' };
  if (!isDefault) return undefined;
  const pid = Number(/^[1-9][0-9]{0,9}(?=\n$)/.exec(contentOf(sources.lock))?.[0] ?? 0);
  // Process IDs are reused: the process must be a tuntoxd.
  const isOurs = pid !== 0 && contentOf(sources.command.replace('PID', String(pid))).includes('tuntoxd');
  return isOurs ? { kind: 'runs', pid } : undefined;
}

/** A line of /proc/net/unix has: number, reference count, protocol, flags, type, state, inode, path. */
function isListening(path: string, table: string): boolean {
  return table.split('\n').some((line) => {
    const [, , , flags = '', , , , ...words] = line.split(' ').filter((word) => word !== '');
    return (Number.parseInt(flags, 16) & LISTENS) !== 0 && words.join(' ') === path;
  });
}

function contentOf(file: string): string {
  try {
    return readSmallFile(file, MAX_BYTES).toString('latin1');
  } catch {
    return '';
  }
}
