/** The agent's socket, as a listener: a file that only its user can reach; or, that of the daemon of this machine, those whom its owner allows. */
import { chmodSync, lchownSync, lstatSync, readlinkSync, rmSync, symlinkSync, unlinkSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { dirname } from 'node:path';
import { type AgentPlaces, AgentSocketError, checkDirectory } from '../../agent/socket-file.js';
import { systemReason } from '../../base/system-error.js';
import { listenAtPath, UnixListenError } from '../../base/unix-listener.js';
import { makeDirectories } from '../state/file-system.js';

const DIRECTORY_MODE = 0o700;
const FOR_OTHERS = 0o077;
const SHARED_MODES = { group: 0o660, all: 0o666 } as const;

/** Who else may connect: members of a group, or all users of this machine. */
export type SharedWith = { readonly users: 'group'; readonly id: number } | { readonly users: 'all' };

export interface ListenHandlers {
  readonly accept: (socket: Socket) => void;
  /** Gets errors of single connections, such as a lack of descriptors. */
  readonly onError: (error: Error) => void;
}

interface ListenOptions {
  readonly owner: AgentPlaces['owner'];
  /** Undefined: only its user may connect. */
  readonly sharedWith?: SharedWith | undefined;
}

interface Listening {
  readonly path: string;
  close(): void;
}

/**
 * Listens, and replaces a socket on which no process listens any more.
 * @throws AgentSocketError `in-use` when a process answers there, `not-ours`, `failed`
 */
async function listenForAgent(
  path: string,
  { owner, sharedWith }: ListenOptions,
  handlers: ListenHandlers,
): Promise<Listening> {
  // That of the system is made by its service manager, or by root.
  if (owner === 'user') makeOwnDirectory(path);
  checkDirectory(path, owner);
  // Beside our identity; the process that made it is gone, since we have the identity.
  if (lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink()) unlinkSync(path);
  const server = createServer({ allowHalfOpen: true }, handlers.accept);
  try {
    const close = await listenAtPath(server, path);
    server.on('error', handlers.onError);
    if (sharedWith !== undefined) share(path, sharedWith, close);
    return { path, close };
  } catch (error) {
    throw listenError(error, path, owner);
  }
}

/** @throws the system's error; then nothing listens */
function share(path: string, sharedWith: SharedWith, close: () => void): void {
  const { users } = sharedWith;
  try {
    // The sandbox of a service forbids the call, which is needless for the process's own group.
    if (users === 'group' && lstatSync(path).gid !== sharedWith.id) lchownSync(path, -1, sharedWith.id);
    chmodSync(path, SHARED_MODES[users]);
  } catch (error) {
    close();
    throw error;
  }
}

/** An open socket, and the link to it beside the identity. */
export interface AgentListener {
  readonly path: string;
  /** Creates what was deleted. @returns whether it did @throws AgentSocketError; the next call tries again */
  restore(): Promise<boolean>;
  close(): void;
}

/**
 * Listens in the runtime directory, with a link to it beside the identity; or there, without a runtime directory, or when the agent of
 * another identity has that place.
 * @throws AgentSocketError
 */
export async function openAgentSocket(
  { places, sharedWith }: { readonly places: AgentPlaces; readonly sharedWith?: SharedWith | undefined },
  handlers: ListenHandlers,
): Promise<AgentListener> {
  const { byIdentity, inRuntime, owner } = places;
  const listen = (path: string): Promise<Listening> => listenForAgent(path, { owner, sharedWith }, handlers);
  let listening = await firstOf([inRuntime, byIdentity], listen);
  const { path } = listening;
  const link = path === byIdentity ? undefined : byIdentity;
  const restoreLink = (): boolean => link !== undefined && linkTo(link, path);
  restoreLink();
  return {
    path,
    restore: async () => {
      const isGone = isSocketGone(path);
      if (isGone) {
        // First: Node removes whatever is at its path.
        listening.close();
        listening = await listen(path);
      }
      return restoreLink() || isGone;
    },
    close: () => {
      listening.close();
      if (link !== undefined && isLinkTo(link, path)) unlinkSync(link);
    },
  };
}

async function firstOf(
  paths: readonly (string | undefined)[],
  listen: (path: string) => Promise<Listening>,
): Promise<Listening> {
  let failure: unknown;
  for (const path of paths) {
    if (path === undefined) continue;
    try {
      return await listen(path);
    } catch (error) {
      failure ??= error;
    }
  }
  throw failure;
}

/** @returns whether the link was missing or led elsewhere */
function linkTo(link: string, path: string): boolean {
  if (isLinkTo(link, path)) return false;
  try {
    rmSync(link, { force: true });
    symlinkSync(path, link);
    return true;
  } catch {
    // The disk is read-only: clients with the same runtime directory find the socket itself.
    return false;
  }
}

function isLinkTo(link: string, path: string): boolean {
  try {
    return readlinkSync(link) === path;
  } catch {
    return false;
  }
}

/** Whether the socket was deleted, so that no client can connect. If that cannot be found out, it counts as being there. */
function isSocketGone(path: string): boolean {
  try {
    return lstatSync(path, { throwIfNoEntry: false }) === undefined;
  } catch {
    return false;
  }
}

function listenError(error: unknown, path: string, owner: AgentPlaces['owner']): AgentSocketError {
  if (error instanceof UnixListenError && error.code === 'in-use') {
    const how = owner === 'user' ? 'end it with tuntox agent stop' : 'end it';
    return new AgentSocketError('in-use', `another process listens on ${path}: ${how}`, { cause: error });
  }
  if (error instanceof UnixListenError) return new AgentSocketError('failed', error.message, { cause: error });
  const advice =
    owner === 'user' ? 'set XDG_RUNTIME_DIR to a directory of yours' : `make ${dirname(path)} a directory of this user`;
  const message = `cannot create ${path} (${systemReason(error)}): ${advice}`;
  return new AgentSocketError('failed', message, { cause: error });
}

function makeOwnDirectory(path: string): void {
  const directory = dirname(path);
  try {
    makeDirectories(directory, DIRECTORY_MODE);
    const { mode, uid } = lstatSync(directory);
    if ((mode & FOR_OTHERS) !== 0 && uid === process.geteuid?.()) chmodSync(directory, DIRECTORY_MODE);
  } catch (error) {
    const message = `cannot create the directory ${directory} for the agent's socket (${systemReason(error)}): set XDG_RUNTIME_DIR to a directory of yours`;
    throw new AgentSocketError('failed', message, { cause: error });
  }
}
