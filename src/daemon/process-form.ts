/**
 * What the daemon is as a process that nobody watches: its pid file (-F), its user (-U), and the directories that these have to
 * come by. Everything that needs root comes first; then it is somebody else for good.
 */
import { lchownSync } from 'node:fs';
import { dirname } from 'node:path';
import { CodedError, messageOf, systemCodeOf } from '../base/coded-error.js';
import type { Logger } from '../base/logger.js';
import { lockFile } from '../engine/file-lock.js';
import { makeDirectories } from '../engine/file-system.js';
import { groupIdOf } from '../platform/group-id.js';
import { giveFilesIn } from '../platform/ownership.js';
import { PidFile } from '../platform/pid-file.js';
import { becomeUser, findUser, privilegesOf, type User } from '../platform/privileges.js';
import { isWritable } from '../platform/writable.js';
import type { Loaded, Settings } from './configuration.js';

/** The message says what to do. */
export class ProcessFormError extends CodedError<'not-writable'> {}

/** Others may pass through to the socket, whose own rights decide. */
const SOCKET_DIRECTORY_MODE = 0o755;
const STATE_DIRECTORY_MODE = 0o700;
const ROOT = 0;

interface Deps {
  readonly process: NodeJS.Process;
  readonly log: Logger;
}

export class ProcessForm {
  readonly #deps: Deps;
  readonly #settings: Settings;
  readonly #user: User | undefined;
  readonly #pidFile: PidFile | undefined;
  /** Of the control socket; undefined for nobody but its owner. */
  readonly groupId: number | undefined;

  /**
   * Before anything is opened: a wrong user or a second process ends it here.
   * @throws PrivilegesError, PidFileError, FileLockError, ProcessFormError
   */
  constructor(deps: Deps, loaded: Loaded, options: { readonly pidFile: string | undefined }) {
    const { process } = deps;
    const { settings } = loaded;
    this.#deps = deps;
    this.#settings = settings;
    this.#user = settings.user === undefined ? undefined : findUser(settings.user, privilegesOf(process));
    this.#pidFile = options.pidFile === undefined ? undefined : PidFile.create(options.pidFile, process.pid, lockFile);
    this.groupId = socketGroup(deps, loaded, this.#user);
    makeDirectoriesOf(settings, this.#owner);
    if (this.#owner === undefined) this.#checkState();
  }

  /** Once ports and files are open. @throws PrivilegesError, ProcessFormError */
  becomeUser(): void {
    const user = this.#user;
    if (user === undefined) return;
    const { stateDirectory, socket } = this.#settings;
    if (this.#owner !== undefined) {
      // What we have just made as root, in a directory that is the user's already.
      giveFilesIn(stateDirectory, user);
      lchownSync(socket.path, user.uid, this.groupId ?? user.gid);
    }
    becomeUser(user, privilegesOf(this.#deps.process));
    this.#checkState();
    this.#deps.log.info(`running as the user ${user.name}`);
  }

  end(): void {
    this.#pidFile?.remove();
  }

  /** Where we are to be a user, and are it. @throws ProcessFormError */
  #checkState(): void {
    const { stateDirectory } = this.#settings;
    const user = this.#user;
    if (user === undefined || isWritable(stateDirectory)) return;
    const message = `the user ${user.name} cannot write in ${stateDirectory}: run chown -R ${user.name} ${stateDirectory}`;
    throw new ProcessFormError('not-writable', message);
  }

  /** Whom to give what we make: only root can. */
  get #owner(): User | undefined {
    return this.#deps.process.geteuid?.() === ROOT ? this.#user : undefined;
  }
}

/** That of the control socket and that of the state, where they are missing. @param owner undefined for us @throws ProcessFormError */
export function makeDirectoriesOf({ socket, stateDirectory }: Settings, owner: User | undefined): void {
  makeDirectory(dirname(socket.path), { mode: SOCKET_DIRECTORY_MODE, owner, setting: 'socket.path' });
  makeDirectory(stateDirectory, { mode: STATE_DIRECTORY_MODE, owner, setting: 'state_dir' });
}

interface Making {
  readonly mode: number;
  readonly owner: User | undefined;
  /** That names the directory. */
  readonly setting: string;
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

function makeDirectory(path: string, { mode, owner, setting }: Making): void {
  try {
    const isMade = makeDirectories(path, mode);
    // Not through a link that the owner of a directory above may have put in its place.
    if (isMade && owner !== undefined) lchownSync(path, owner.uid, owner.gid);
  } catch (error) {
    const reason = REASONS[systemCodeOf(error) ?? ''] ?? messageOf(error);
    const advice = `make it, or name another place with ${setting} in the settings`;
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

/** That of the settings; undefined where there is none of that name, or it is not ours to give. */
function socketGroup(
  { process, log }: Deps,
  { settings, effective }: Loaded,
  user: User | undefined,
): number | undefined {
  const { group } = settings.socket;
  if (group === undefined) return undefined;
  const { id, isUsual } = groupOf(group, effective);
  const isOurs = process.geteuid?.() === ROOT || (id !== undefined && (process.getgroups?.() ?? []).includes(id));
  if (id !== undefined && isOurs) return id;
  const why = id === undefined ? `there is no group ${group}` : `this user is not in the group ${group}`;
  log[isUsual ? 'info' : 'warn'](`${why}, so only ${user?.name ?? 'this user'} and root may use the control socket`);
  return undefined;
}
