/**
 * The only file that imports node-ipc: the control socket, as bytes. Its raw mode is used; its message mode buffers without
 * limit and lets a client name any event. It neither removes what is at the path nor reconnects: that is ours to decide.
 */
import { chmodSync, lchownSync, lstatSync, readlinkSync, statSync, symlinkSync, unlinkSync } from 'node:fs';
import type { Socket } from 'node:net';
import { dirname } from 'node:path';
import { IPCModule } from 'node-ipc';
import { CodedError, messageOf, systemCodeOf } from '../base/coded-error.js';

/** Implementation: clients at once; 50 programs and a few people fit. The kernel's queue takes some more. */
const MAX_CONNECTIONS = 128;
/** Owner and group. */
const SHARED_MODE = 0o660;
/** Bytes of a path that the kernel takes (sun_path, without its zero); Node cuts off the rest. */
const MAX_PATH_LENGTH = 107;
/** While the socket is made: nobody but the owner may connect, before the group is right or where it has none of its own. */
const PRIVATE_UMASK = 0o177;

export type IpcFault = 'not-running' | 'permission' | 'in-use' | 'failed';

/** The message names the socket. */
export class IpcError extends CodedError<IpcFault> {}

/** One end of a connection. */
export interface IpcConnection {
  /** False when there is no more room: `onDrain` follows. Bytes are taken in any case. */
  write(text: string): boolean;
  /** Bytes that wait for the other side. */
  readonly waiting: number;
  pause(): void;
  resume(): void;
  /** Sends what waits, and ends. */
  end(): void;
  destroy(): void;
}

export interface IpcHandlers {
  onData(bytes: Buffer): void;
  onDrain(): void;
  /** Called once. */
  onClose(): void;
}

export interface IpcListener {
  /** Whether somebody has deleted its file, so that nobody can connect; what another has put there instead is theirs. */
  isGone(): boolean;
  /** Takes no more connections, and takes the socket away; connections are their owners' to end. */
  close(): void;
}

export interface IpcLink {
  /** Makes it again if it was deleted. @returns whether it did @throws IpcError */
  restore(): boolean;
  /** Unless it leads elsewhere by now. */
  remove(): void;
}

export interface SocketOptions {
  readonly path: string;
  /** Who may connect besides the owner; undefined for nobody. */
  readonly groupId: number | undefined;
}

function quietModule(): IPCModule {
  const ipc = new IPCModule();
  Object.assign(ipc.config, {
    rawBuffer: true,
    // Chunks of UTF-8 are decoded as a stream: no character is torn.
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
 * Listens on a Unix socket. What a daemon that was killed left there is replaced.
 * @param accept gets each connection and says what to do with its bytes
 * @throws IpcError `in-use` when somebody answers there, `permission`, `failed`
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
    const made = accept(connectionOf(socket));
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
    // Node makes the socket before `start` returns.
    const umask = process.umask(PRIVATE_UMASK);
    try {
      server.start();
      // It could not be made; `error` will say why.
      if (isGone(path)) return;
      if (groupId !== undefined) share(path, groupId);
    } catch (error) {
      server.stop();
      reject(ipcError(error, path));
    } finally {
      process.umask(umask);
    }
  });
  // Node takes the socket's file away with it.
  return { close: () => server.stop(), isGone: () => isGone(path) };
}

/** By its path, which follows links: never as root where somebody else could put one (daemon/process-form). */
function share(path: string, groupId: number): void {
  // Where it is the process's own group there is nothing to change, and the sandbox of a service forbids the call.
  if (lstatSync(path).gid !== groupId) lchownSync(path, -1, groupId);
  chmodSync(path, SHARED_MODE);
}

/**
 * Has another path lead to a socket. What a daemon that was killed left there is replaced.
 * @throws IpcError `in-use` when somebody else answers there, `permission`, `failed`
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
        // The directory is another user's by now, or gone. A link that leads nowhere is replaced by the next daemon.
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
  return connectionOf(client.socket);
}

function connectionOf(socket: Socket): IpcConnection {
  return {
    write: (text) => socket.destroyed || socket.write(text),
    get waiting() {
      return socket.writableLength;
    },
    pause: () => socket.pause(),
    resume: () => socket.resume(),
    end: () => socket.end(),
    destroy: () => socket.destroy(),
  };
}

/** Nothing is there. Where that cannot be seen, for want of memory or of a right, it counts as being there. */
function isGone(path: string): boolean {
  try {
    return lstatSync(path, { throwIfNoEntry: false }) === undefined;
  } catch {
    return false;
  }
}

/** A socket on which nobody listens, or a link to one, is what is left of a daemon that was killed. */
async function removeStale(path: string): Promise<void> {
  const status = lstatSync(path, { throwIfNoEntry: false });
  if (status === undefined) return;
  const isLeft = status.isSocket() || (status.isSymbolicLink() && leadsToSocketOrNowhere(path));
  if (!isLeft) throw new IpcError('in-use', `${path} is there already and is no socket: move it away`);
  try {
    const nobody: IpcHandlers = { onData: () => {}, onDrain: () => {}, onClose: () => {} };
    (await connectIpc(path, nobody)).destroy();
  } catch (error) {
    if (!(error instanceof IpcError) || error.code !== 'not-running') throw error;
    // Another daemon that starts at the same moment may have put its own there since.
    const now = lstatSync(path, { throwIfNoEntry: false });
    if (now?.ino !== status.ino || now.ctimeMs !== status.ctimeMs) return removeStale(path);
    unlinkSync(path);
    return;
  }
  throw new IpcError('in-use', `another daemon answers at ${path}: stop it, or name another socket`);
}

function leadsToSocketOrNowhere(path: string): boolean {
  try {
    return statSync(path, { throwIfNoEntry: false })?.isSocket() ?? true;
  } catch {
    // To itself, or where this user may not look: no daemon left that here.
    return false;
  }
}

/** @throws IpcError */
function checkLength(path: string): void {
  const length = Buffer.byteLength(path);
  if (length <= MAX_PATH_LENGTH) return;
  throw new IpcError(
    'failed',
    `the path of a socket has at most ${MAX_PATH_LENGTH} bytes, and this one ${length}: ${path}`,
  );
}

/** To libuv a directory that is missing is a right that is. */
function listenError(error: unknown, path: string): IpcError {
  const directory = dirname(path);
  if (!isGone(directory)) return ipcError(error, path);
  return new IpcError('failed', `${path}: the directory ${directory} does not exist: make it`, { cause: error });
}

const FAULTS: Readonly<Record<string, readonly [IpcFault, string]>> = {
  ENOENT: ['not-running', 'there is no such socket'],
  ECONNREFUSED: ['not-running', 'nobody listens there'],
  EACCES: ['permission', 'this user may not'],
  EPERM: ['permission', 'this user may not'],
  EADDRINUSE: ['in-use', 'it is in use'],
};

function ipcError(error: unknown, path: string): IpcError {
  if (error instanceof IpcError) return error;
  const [code, reason] = FAULTS[systemCodeOf(error) ?? ''] ?? ['failed', messageOf(error)];
  return new IpcError(code, `${path}: ${reason}`, { cause: error });
}
