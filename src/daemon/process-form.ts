/**
 * What the daemon is as a process that nobody watches: its pid file (-F), its user, and the directories that it needs. Where it was to
 * become another user, it is that one already (daemon/as-user).
 */
import { statSync } from 'node:fs';
import { dirname } from 'node:path';
import { CodedError, messageOf, systemCodeOf } from '../base/coded-error.js';
import type { Logger } from '../base/logger.js';
import { lockFile } from '../engine/state/file-lock.js';
import { makeDirectories } from '../engine/state/file-system.js';
import { groupIdOf } from '../platform/process/group-id.js';
import { ownPidFile, type PidFile } from '../platform/process/pid-file.js';
import { findUser } from '../platform/process/privileges.js';
import { foreignPart } from '../platform/process/trusted-path.js';
import type { Loaded } from './configuration.js';

/** The message says what to do. */
export class ProcessFormError extends CodedError<'not-writable'> {}

/** Others may pass through to the socket, whose own rights decide. */
const SOCKET_DIRECTORY_MODE = 0o755;
const STATE_DIRECTORY_MODE = 0o700;
const ROOT = 0;
const WRITABLE_BY_OTHERS = 0o022;

interface Deps {
  readonly process: NodeJS.Process;
  readonly log: Logger;
}

export class ProcessForm {
  readonly #pidFile: PidFile | undefined;
  /** Of the control socket; undefined for nobody but its owner. */
  readonly groupId: number | undefined;

  /**
   * Before anything is opened: a wrong user or a second process ends it here.
   * @throws PrivilegesError, PidFileError, FileLockError, ProcessFormError
   */
  constructor(deps: Deps, loaded: Loaded, options: { readonly pidFile: string | undefined }) {
    const { process, log } = deps;
    const { user, socket, stateDirectory } = loaded.settings;
    if (user !== undefined) log.info(`running as the user ${findUser(user, process).name}`);
    this.#pidFile = ownPidFile({ process, log }, options.pidFile, lockFile);
    makeDirectory(dirname(socket.path), SOCKET_DIRECTORY_MODE, 'socket.path');
    makeDirectory(stateDirectory, STATE_DIRECTORY_MODE, 'state_dir');
    this.groupId = socketGroup(deps, loaded);
  }

  end(): void {
    this.#pidFile?.remove();
  }
}

const REASONS: Readonly<Record<string, string>> = {
  EACCES: 'permission denied',
  EPERM: 'operation not permitted',
  EROFS: 'the disk is read-only',
  ENOENT: 'none can be made there',
  ENOSPC: 'the disk is full',
  EEXIST: 'it is there and is no directory',
  ENOTDIR: 'a part of it is no directory',
  ENAMETOOLONG: 'the name is too long',
};

/** @param setting that names it @throws ProcessFormError */
function makeDirectory(path: string, mode: number, setting: string): void {
  try {
    makeDirectories(path, mode);
  } catch (error) {
    const reason = REASONS[systemCodeOf(error) ?? ''] ?? messageOf(error);
    const advice = `make a directory that this user can write in, or name another place with ${setting} in the settings`;
    throw new ProcessFormError('not-writable', `cannot make the directory ${path} (${reason}): ${advice}`, {
      cause: error,
    });
  }
}

/** The group of the control socket, as this machine knows it. @param name of the settings */
export function groupOf(
  name: string,
  effective: Loaded['effective'],
): { readonly id: number | undefined; readonly isUsual: boolean } {
  const isUsual = effective.get('socket.group')?.source === 'default';
  return { id: groupIdOf(name, { isThorough: !isUsual }), isUsual };
}

/** That of the settings; undefined where there is none of that name, or it cannot be given safely. */
function socketGroup({ process, log }: Deps, { settings, effective }: Loaded): number | undefined {
  const { group, path } = settings.socket;
  if (group === undefined) return undefined;
  const { id, isUsual } = groupOf(group, effective);
  const why = id === undefined ? `there is no group ${group}` : whyNot(process, { group, id }, dirname(path));
  if (why === undefined) return id;
  log[isUsual ? 'info' : 'warn'](`${why}, so only this user and root may use the control socket`);
  return undefined;
}

const isWritableByOthers = (directory: string): boolean => (statSync(directory).mode & WRITABLE_BY_OTHERS) !== 0;

function whyNot(
  process: NodeJS.Process,
  { group, id }: { readonly group: string; readonly id: number },
  directory: string,
): string | undefined {
  if (process.geteuid?.() !== ROOT) {
    return (process.getgroups?.() ?? []).includes(id) ? undefined : `this user is not in the group ${group}`;
  }
  // Who may put a link in the socket's place would have root give that group any file. The sticky bit does not prevent that.
  const part = foreignPart(directory) ?? (isWritableByOthers(directory) ? directory : undefined);
  return part === undefined ? undefined : `users other than root can change ${part}`;
}
