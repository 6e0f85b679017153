/** The place of the agent's socket, and the connection to it: only its user may have either, or the owner of this machine. */
import { lstatSync, readlinkSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { dirname, join, resolve } from 'node:path';
import { CodedError, systemCodeOf } from '../base/coded-error.js';
import { type DaemonOwner, SYSTEM_RUNTIME_DIRECTORY } from '../base/daemon-service.js';
import { systemReason } from '../base/system-error.js';
import { MAX_UNIX_PATH } from '../base/unix-path.js';
import type { UserDirectories } from '../base/user-directories.js';

/** The message names the socket and says what to do. */
export class AgentSocketError extends CodedError<'not-running' | 'not-ours' | 'in-use' | 'failed'> {}

const NAME = 'agent.sock';

const fits = (path: string): boolean => Buffer.byteLength(path) <= MAX_UNIX_PATH;

/** Where the agent of an identity may listen. */
export interface AgentPlaces {
  /**
   * In the state directory, which has the identity: a link to the socket, or the socket itself. So an agent is found also by a client that
   * knows another runtime directory, such as a cron job. Undefined if the path is too long for a socket.
   */
  readonly byIdentity: string | undefined;
  /** In the runtime directory; undefined if there is none, or the path is too long. */
  readonly inRuntime: string | undefined;
  /** The state directory; undefined for the daemon of this machine, which a client knows by its place. */
  readonly state: string | undefined;
  readonly owner: DaemonOwner;
}

/** An agent of a user. */
export type UserPlaces = AgentPlaces & { readonly state: string };

/** Where the daemon of this machine shares the targets of its forwards with users. */
export const SYSTEM_PLACES: AgentPlaces = {
  byIdentity: undefined,
  inRuntime: join(SYSTEM_RUNTIME_DIRECTORY, NAME),
  state: undefined,
  owner: 'system',
};

/** @throws AgentSocketError if no path is short enough */
export function agentPlaces({ runtime, state }: Pick<UserDirectories, 'runtime' | 'state'>): UserPlaces {
  const [byIdentity, inRuntime] = [state, runtime].map((directory) => {
    const path = directory === undefined ? undefined : join(directory, NAME);
    return path !== undefined && fits(path) ? path : undefined;
  });
  if (byIdentity !== undefined || inRuntime !== undefined) return { byIdentity, inRuntime, state, owner: 'user' };
  throw new AgentSocketError(
    'failed',
    `the path ${join(state, NAME)} is too long for a socket (at most ${MAX_UNIX_PATH} bytes): set XDG_RUNTIME_DIR to a ` +
      'directory of yours with a shorter name',
  );
}

/** Returns the paths at which a client looks for the agent, one after the other. */
export const pathsOf = ({ byIdentity, inRuntime }: AgentPlaces): string[] =>
  [byIdentity, inRuntime].filter((path) => path !== undefined);

/** @throws AgentSocketError `not-ours` */
export const checkDirectory = (path: string, owner: DaemonOwner): void =>
  owner === 'user' ? checkOwnDirectory(path) : checkSystemDirectory(path);

/** Root makes the directory, in one of its own, and gives it to the daemon's user. @throws AgentSocketError */
function checkSystemDirectory(path: string): void {
  const directory = dirname(path);
  try {
    const [parent, status] = [lstatSync(dirname(directory)), lstatSync(directory)];
    const isFor = ({ uid }: { readonly uid: number }): boolean => uid === 0 || uid === process.geteuid?.();
    const areSafe = [parent, status].every((one) => one.isDirectory() && (one.mode & 0o022) === 0);
    if (areSafe && isFor(parent)) return;
    throw new AgentSocketError('not-ours', `the agent's socket cannot be in ${directory}: other users can write there`);
  } catch (error) {
    throw agentSocketError(error, path);
  }
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
export async function connectToAgent(path: string, owner: DaemonOwner = 'user'): Promise<Socket> {
  checkDirectory(path, owner);
  const target = owner === 'user' ? linkTargetOf(path) : undefined;
  if (target !== undefined) checkLinkTarget(target);
  return new Promise((resolve, reject) => {
    const socket = connect({ path: target ?? path, allowHalfOpen: true });
    const onError = (error: Error): void => reject(agentSocketError(error, path));
    socket.once('error', onError);
    socket.once('connect', () => {
      socket.off('error', onError).on('error', () => {});
      resolve(socket);
    });
  });
}

/** Returns where the link beside the identity leads; undefined if there is the socket itself, or nothing. */
function linkTargetOf(path: string): string | undefined {
  try {
    return resolve(dirname(path), readlinkSync(path));
  } catch {
    return undefined;
  }
}

/** The link outlives an agent that was killed; another user may have the runtime directory of that time now. @throws AgentSocketError */
function checkLinkTarget(target: string): void {
  try {
    checkOwnDirectory(target);
  } catch (error) {
    if (!(error instanceof AgentSocketError) || error.code !== 'not-ours') throw error;
    throw new AgentSocketError('not-running', error.message, { cause: error });
  }
}

/** The last one: it has just been killed. */
const NOT_RUNNING = new Set(['ENOENT', 'ECONNREFUSED', 'ENOTDIR', 'ECONNRESET']);

export function agentSocketError(error: unknown, path: string): AgentSocketError {
  if (error instanceof AgentSocketError) return error;
  const isRunning = !NOT_RUNNING.has(systemCodeOf(error) ?? '');
  const reason = systemReason(error, { ECONNREFUSED: 'no process listens there', ENOENT: 'there is no socket' });
  return new AgentSocketError(isRunning ? 'failed' : 'not-running', `${path}: ${reason}`, { cause: error });
}
