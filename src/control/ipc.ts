/**
 * The control socket, as bytes. Only this file imports node-ipc. It uses the raw mode: the message mode buffers without limit and
 * lets a client name any event. node-ipc neither removes what is at the path nor reconnects here: this file decides that.
 */
import { chmodSync, lchownSync, lstatSync, readlinkSync, statSync, symlinkSync, unlinkSync } from 'node:fs';
import type { Socket } from 'node:net';
import { dirname } from 'node:path';
import { IPCModule } from 'node-ipc';
import { CodedError, systemCodeOf } from '../base/coded-error.js';
import { createdPrivately } from '../base/private-file.js';
import { systemReason } from '../base/system-error.js';
import { MAX_UNIX_PATH } from '../base/unix-path.js';

/** Simultaneous clients: enough for 50 programs and a few people. The kernel queues some more. */
const MAX_CONNECTIONS = 128;
/** Owner and group. */
const SHARED_MODE = 0o660;

export type IpcErrorCode = 'not-running' | 'permission' | 'in-use' | 'failed';

/** The message names the socket. */
export class IpcError extends CodedError<IpcErrorCode> {}

/** One end of a connection. It is written to also when it is full or closed: `onDrain` or `onClose` follows. */
export type IpcConnection = Pick<Socket, 'write' | 'writableLength' | 'pause' | 'resume' | 'end' | 'destroy'>;

export interface IpcHandlers {
  onData(bytes: Buffer): void;
  onDrain(): void;
  /** Called once. */
  onClose(): void;
}

export interface IpcListener {
  /** Whether its file was deleted, so that no client can connect. A file that replaced it does not count. */
  isGone(): boolean;
  /** Accepts no more connections, and removes the socket; open connections stay. */
  close(): void;
}

export interface IpcLink {
  /** Creates the link again if it was deleted. @returns whether it did. @throws IpcError */
  restore(): boolean;
  /** Removes the link, unless it points elsewhere by now. */
  remove(): void;
}

export interface SocketOptions {
  readonly path: string;
  /** The group that may connect; undefined: only the owner may. */
  readonly groupId: number | undefined;
}

function quietModule(): IPCModule {
  const ipc = new IPCModule();
  Object.assign(ipc.config, {
    rawBuffer: true,
    // Chunks are decoded as a stream, so no character is split.
    encoding: 'utf8',
    silent: true,
    unlink: false,
    readableAll: false,
    writableAll: false,
    maxConnections: MAX_CONNECTIONS,
    stopRetrying: true,
    maxRetries: 0,
  });
  return ipc;
}

/**
 * Listens on a Unix socket, and replaces one that a killed daemon left there.
 * @param accept is called for each connection, and returns its handlers
 * @throws IpcError `in-use` when another process answers there, `permission`, `failed`
 */
export async function listenIpc(
  { path, groupId }: SocketOptions,
  accept: (connection: IpcConnection) => IpcHandlers,
): Promise<IpcListener> {
  checkLength(path);
  await removeStale(path);
  const ipc = quietModule();
  ipc.serve(path);
  const { server } = ipc;
  const handlers = new Map<Socket, IpcHandlers>();
  server.on('connect', (socket) => {
    const made = accept(socket);
    handlers.set(socket, made);
    socket.on('drain', () => made.onDrain());
    socket.on('close', () => {
      if (handlers.delete(socket)) made.onClose();
    });
  });
  server.on('data', (data, socket) => handlers.get(socket)?.onData(data));
  await new Promise<void>((resolve, reject) => {
    server.on('start', resolve);
    server.on('error', (error) => reject(listenError(error, path)));
    // Node creates the socket before `start` returns; only the owner may connect until it has its group.
    try {
      createdPrivately(() => server.start());
      // It could not be created; `error` will say why.
      if (isGone(path)) return;
      if (groupId !== undefined) share(path, groupId);
    } catch (error) {
      server.stop();
      reject(ipcError(error, path));
    }
  });
  // Node removes the file of the socket with it.
  return { close: () => server.stop(), isGone: () => isGone(path) };
}

/** Follows links: root must not do this in a directory where another user could put one (daemon/process-form). */
function share(path: string, groupId: number): void {
  // The sandbox of a service forbids the call, which is needless for the process's own group.
  if (lstatSync(path).gid !== groupId) lchownSync(path, -1, groupId);
  chmodSync(path, SHARED_MODE);
}

/**
 * Links another path to a socket, and replaces what a killed daemon left there.
 * @throws IpcError `in-use` when another process answers there, `permission`, `failed`
 */
export async function linkIpc(path: string, socket: string): Promise<IpcLink> {
  checkLength(path);
  const isOurs = (): boolean =>
    lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() === true && readlinkSync(path) === socket;
  try {
    if (!isOurs()) {
      await removeStale(path);
      symlinkSync(socket, path);
    }
  } catch (error) {
    throw ipcError(error, path);
  }
  return {
    restore: () => {
      if (!isGone(path)) return false;
      try {
        symlinkSync(socket, path);
        return true;
      } catch (error) {
        throw ipcError(error, path);
      }
    },
    remove: () => {
      try {
        if (isOurs()) unlinkSync(path);
      } catch {
        // The directory is gone, or belongs to another user by now. The next daemon replaces a stale link.
      }
    },
  };
}

/** @throws IpcError `not-running`, `permission`, `failed` */
export async function connectIpc(path: string, handlers: IpcHandlers): Promise<IpcConnection> {
  checkLength(path);
  const ipc = quietModule();
  ipc.connectTo(path, path);
  const client = ipc.of[path];
  if (client === undefined) throw new IpcError('failed', `cannot connect to ${path}`);
  await new Promise<void>((resolve, reject) => {
    client.on('connect', resolve);
    client.on('error', (error) => reject(ipcError(error, path)));
  });
  client.on('data', (data) => handlers.onData(data));
  client.on('destroy', () => handlers.onClose());
  client.socket.on('drain', () => handlers.onDrain());
  return client.socket;
}

/** Whether there is no file. If that cannot be found out, there counts as being one. */
function isGone(path: string): boolean {
  try {
    return lstatSync(path, { throwIfNoEntry: false }) === undefined;
  } catch {
    return false;
  }
}

/** Removes a socket on which no process listens, or a link to one: what a killed daemon left. */
async function removeStale(path: string): Promise<void> {
  const status = lstatSync(path, { throwIfNoEntry: false });
  if (status === undefined) return;
  const isLeft = status.isSocket() || (status.isSymbolicLink() && pointsToSocketOrNowhere(path));
  if (!isLeft) throw new IpcError('in-use', `${path} exists and is not a socket: move it away`);
  try {
    const handlers: IpcHandlers = { onData: () => {}, onDrain: () => {}, onClose: () => {} };
    (await connectIpc(path, handlers)).destroy();
  } catch (error) {
    if (!(error instanceof IpcError) || error.code !== 'not-running') throw error;
    // Another daemon that starts at the same moment may have replaced it.
    const now = lstatSync(path, { throwIfNoEntry: false });
    if (now?.ino !== status.ino || now.ctimeMs !== status.ctimeMs) return removeStale(path);
    unlinkSync(path);
    return;
  }
  throw new IpcError('in-use', `another daemon is listening on ${path}: stop it, or use another socket.path`);
}

function pointsToSocketOrNowhere(path: string): boolean {
  try {
    return statSync(path, { throwIfNoEntry: false })?.isSocket() ?? true;
  } catch {
    // It points to itself, or to a place that this user may not see: no daemon left that here.
    return false;
  }
}

/** @throws IpcError */
function checkLength(path: string): void {
  const length = Buffer.byteLength(path);
  if (length <= MAX_UNIX_PATH) return;
  throw new IpcError(
    'failed',
    `the path ${path} is too long for a socket (${length} bytes of at most ${MAX_UNIX_PATH}): use a shorter one`,
  );
}

/** Errors of a directory in which this user cannot create anything. */
const UNWRITABLE: ReadonlySet<string> = new Set(['EACCES', 'EPERM', 'EROFS']);

/** libuv reports a missing directory as a missing permission. */
function listenError(error: unknown, path: string): IpcError {
  if (!UNWRITABLE.has(systemCodeOf(error) ?? '')) return ipcError(error, path);
  const directory = dirname(path);
  const [reason, advice] = isGone(directory)
    ? ['no such directory', 'create it']
    : [systemReason(error), 'make it writable for this user'];
  const text = `cannot create a socket in ${directory} (${reason}): ${advice}, or use another socket.path`;
  return new IpcError('failed', text, { cause: error });
}

const REASONS: Readonly<Record<string, readonly [IpcErrorCode, string]>> = {
  ENOENT: ['not-running', 'no such socket'],
  ECONNREFUSED: ['not-running', 'no process listens there'],
  EACCES: ['permission', 'permission denied'],
  EPERM: ['permission', 'permission denied'],
  EADDRINUSE: ['in-use', 'already in use'],
};

function ipcError(error: unknown, path: string): IpcError {
  if (error instanceof IpcError) return error;
  const [code, reason] = REASONS[systemCodeOf(error) ?? ''] ?? ['failed', systemReason(error)];
  return new IpcError(code, `${path}: ${reason}`, { cause: error });
}
