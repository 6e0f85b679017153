/** The agent's socket, as a listener: a file that only its user can reach. */
import { chmodSync, lstatSync, unlinkSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { dirname } from 'node:path';
import { AgentSocketError, agentSocketError, checkOwnDirectory, connectToAgent } from '../../agent/socket-file.js';
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
export async function listenForAgent(path: string, accept: (socket: Socket) => void): Promise<Server> {
  makeOwnDirectory(path);
  await removeStale(path);
  const server = createServer({ allowHalfOpen: true }, accept);
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => reject(agentSocketError(error, path)));
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

/** Whether the socket was deleted, so that no client can connect. If that cannot be found out, it counts as being there. */
export function isSocketGone(path: string): boolean {
  try {
    return lstatSync(path, { throwIfNoEntry: false }) === undefined;
  } catch {
    return false;
  }
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
