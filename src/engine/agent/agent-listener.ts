/** The agent's socket, as a listener: a file that only its user can reach. */
import { chmodSync, lstatSync, readlinkSync, rmSync, symlinkSync, unlinkSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { dirname } from 'node:path';
import { type AgentPlaces, AgentSocketError, checkOwnDirectory, connectToAgent } from '../../agent/socket-file.js';
import { systemReason } from '../../base/system-error.js';
import { makeDirectories } from '../state/file-system.js';

const DIRECTORY_MODE = 0o700;
const FOR_OTHERS = 0o077;
/** For creating the socket: only its user may connect. */
const PRIVATE_UMASK = 0o177;

/**
 * Listens, and replaces a socket on which no process listens any more.
 * @throws AgentSocketError `in-use` when a process answers there, `not-ours`, `failed`
 */
async function listenForAgent(path: string, accept: (socket: Socket) => void): Promise<Server> {
  makeOwnDirectory(path);
  await removeStale(path);
  const server = createServer({ allowHalfOpen: true }, accept);
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => reject(listenError(error, path)));
    // Node creates the socket before `listen` returns.
    const umask = process.umask(PRIVATE_UMASK);
    try {
      server.listen(path, resolve);
    } finally {
      process.umask(umask);
    }
  });
  return server;
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
  places: AgentPlaces,
  accept: (socket: Socket) => void,
  onError: (error: Error) => void,
): Promise<AgentListener> {
  const { byIdentity, inRuntime } = places;
  const listen = async (path: string): Promise<Server> => (await listenForAgent(path, accept)).on('error', onError);
  let [path, server] = await firstOf([inRuntime, byIdentity], listen);
  const link = path === byIdentity ? undefined : byIdentity;
  const restoreLink = (): boolean => link !== undefined && linkTo(link, path);
  restoreLink();
  return {
    path,
    restore: async () => {
      const isGone = isSocketGone(path);
      if (isGone) {
        // First: Node removes whatever is at its path.
        server.close();
        server = await listen(path);
      }
      return restoreLink() || isGone;
    },
    close: () => {
      server.close();
      if (link !== undefined && isLinkTo(link, path)) unlinkSync(link);
    },
  };
}

async function firstOf(
  paths: readonly (string | undefined)[],
  listen: (path: string) => Promise<Server>,
): Promise<[path: string, server: Server]> {
  let failure: unknown;
  for (const path of paths) {
    if (path === undefined) continue;
    try {
      return [path, await listen(path)];
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

function listenError(error: unknown, path: string): AgentSocketError {
  const message = `cannot create ${path} (${systemReason(error)}): set XDG_RUNTIME_DIR to a directory of yours`;
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
  checkOwnDirectory(path);
}

async function removeStale(path: string): Promise<void> {
  const status = lstatSync(path, { throwIfNoEntry: false });
  if (status === undefined) return;
  if (status.isSymbolicLink()) {
    // Beside our identity; its process is gone, since we have the identity.
    unlinkSync(path);
    return;
  }
  if (!status.isSocket()) throw new AgentSocketError('failed', `${path} exists and is not a socket: move it away`);
  try {
    (await connectToAgent(path)).destroy();
  } catch (error) {
    if (!(error instanceof AgentSocketError) || error.code !== 'not-running') throw error;
    unlinkSync(path);
    return;
  }
  throw new AgentSocketError('in-use', `another agent listens on ${path}: tuntox agent stop ends it`);
}
