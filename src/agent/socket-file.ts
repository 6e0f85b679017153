/** The place of the agent's socket, and the connection to it: only its user may have either. */
import { lstatSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { dirname, join } from 'node:path';
import { CodedError, systemCodeOf } from '../base/coded-error.js';
import { systemReason } from '../base/system-error.js';
import type { UserDirectories } from '../base/user-directories.js';

/** The message names the socket and says what to do. */
export class AgentSocketError extends CodedError<'not-running' | 'not-ours' | 'in-use' | 'failed'> {}

const NAME = 'agent.sock';
/** Bytes of a path (sun_path without its zero); Node would cut off the rest. */
const MAX_PATH_LENGTH = 107;

const fits = (path: string): boolean => Buffer.byteLength(path) <= MAX_PATH_LENGTH;

/** Returns the path of the socket: in the runtime directory, or without one, or with one whose name is too long, beside the identity. @throws AgentSocketError */
export function agentSocketPath({ runtime, state }: Pick<UserDirectories, 'runtime' | 'state'>): string {
  const places = [...(runtime === undefined ? [] : [runtime]), state].map((directory) => join(directory, NAME));
  const path = places.find(fits);
  if (path !== undefined) return path;
  throw new AgentSocketError(
    'failed',
    `the path ${places[0]} is too long for a socket (at most ${MAX_PATH_LENGTH} bytes): set XDG_RUNTIME_DIR to a directory ` +
      'of yours with a shorter name',
  );
}

/** Another user who owns or can change the directory could listen in our place, and would be sent secrets. @throws AgentSocketError */
export function checkOwnDirectory(path: string, uid = process.geteuid?.()): void {
  const directory = dirname(path);
  try {
    const status = lstatSync(directory);
    const isOurs = status.isDirectory() && status.uid === uid && (status.mode & 0o022) === 0;
    if (isOurs) return;
    const why = !status.isDirectory()
      ? 'it is not a directory'
      : status.uid === uid
        ? 'other users can write there'
        : 'it belongs to another user';
    throw new AgentSocketError(
      'not-ours',
      `the agent's socket cannot be in ${directory}: ${why}; move it away, or set XDG_RUNTIME_DIR to a directory of yours`,
    );
  } catch (error) {
    throw agentSocketError(error, path);
  }
}

/** @throws AgentSocketError `not-running`, `not-ours`, `failed` */
export async function connectToAgent(path: string): Promise<Socket> {
  checkOwnDirectory(path);
  return new Promise((resolve, reject) => {
    const socket = connect({ path, allowHalfOpen: true });
    const onError = (error: Error): void => reject(agentSocketError(error, path));
    socket.once('error', onError);
    socket.once('connect', () => {
      socket.off('error', onError).on('error', () => {});
      resolve(socket);
    });
  });
}

const NOT_RUNNING = new Set(['ENOENT', 'ECONNREFUSED', 'ENOTDIR']);

export function agentSocketError(error: unknown, path: string): AgentSocketError {
  if (error instanceof AgentSocketError) return error;
  const isRunning = !NOT_RUNNING.has(systemCodeOf(error) ?? '');
  const reason = systemReason(error, { ECONNREFUSED: 'no process listens there', ENOENT: 'there is no socket' });
  return new AgentSocketError(isRunning ? 'failed' : 'not-running', `${path}: ${reason}`, { cause: error });
}
