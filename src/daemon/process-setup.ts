/** The directories that the daemon needs, and the group of its control socket. */
import { statSync } from 'node:fs';
import { dirname } from 'node:path';
import { CodedError } from '../base/coded-error.js';
import type { Logger } from '../base/logger.js';
import { systemReason } from '../base/system-error.js';
import { makeDirectories } from '../engine/state/file-system.js';
import { groupIdOf } from '../platform/process/group-id.js';
import { untrustedPart } from '../platform/process/trusted-path.js';
import type { Loaded } from './configuration.js';

/** The message says what to do. */
export class DirectoryError extends CodedError<'not-writable'> {}

/** Other users may enter that of the system: the mode of the socket decides. */
const SOCKET_DIRECTORY_MODES = { system: 0o755, user: 0o700 } as const;
const STATE_DIRECTORY_MODE = 0o700;
const ROOT = 0;
const WRITABLE_BY_OTHERS = 0o022;

/** Creates the directories of the socket and of the state, where they are missing. @throws DirectoryError */
export function makeOwnDirectories({ settings, owner }: Pick<Loaded, 'settings' | 'owner'>): void {
  const { socket, stateDirectory } = settings;
  makeDirectory(dirname(socket.path), SOCKET_DIRECTORY_MODES[owner], 'socket.path');
  makeDirectory(stateDirectory, STATE_DIRECTORY_MODE, 'state_dir');
}

/** @param setting that names it */
function makeDirectory(path: string, mode: number, setting: string): void {
  try {
    makeDirectories(path, mode);
  } catch (error) {
    const reason = systemReason(error, { EEXIST: 'it exists and is not a directory' });
    const advice = `create a directory that this user can write to, or name another one with ${setting} in the settings`;
    throw new DirectoryError('not-writable', `cannot create the directory ${path} (${reason}): ${advice}`, {
      cause: error,
    });
  }
}

/** What root saves in the directory of the service's own user, that user cannot use. */
export function warnRoot(process: NodeJS.Process, log: Logger, { stateDirectory }: Loaded['settings']): void {
  const { uid, gid } = statSync(stateDirectory);
  if (process.geteuid?.() !== ROOT || (uid === ROOT && gid === ROOT)) return;
  log.warn(`running as root, but ${stateDirectory} is for another user, who cannot use what root saves: add -U tuntox`);
}

/** Looks up the group of the control socket. @param name of the settings */
export function groupOf(
  name: string,
  effective: Loaded['effective'],
): { readonly id: number | undefined; readonly isDefault: boolean } {
  const isDefault = effective.get('socket.group')?.source === 'default';
  return { id: groupIdOf(name, { isThorough: !isDefault }), isDefault };
}

/** Returns the group of the control socket; undefined if there is no such group, or it would not be safe. */
export function socketGroup(
  process: NodeJS.Process,
  log: Logger,
  { settings, effective }: Pick<Loaded, 'settings' | 'effective'>,
): number | undefined {
  const { group, path } = settings.socket;
  if (group === undefined) return undefined;
  const { id, isDefault } = groupOf(group, effective);
  const why = id === undefined ? `there is no group ${group}` : whyNot(process, { group, id }, dirname(path));
  if (why === undefined) return id;
  log[isDefault ? 'info' : 'warn'](`${why}, so only this user and root may use the control socket`);
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
  // A user who can replace the socket by a link would have root give the group any file. The sticky bit does not prevent that.
  const part = untrustedPart(directory) ?? (isWritableByOthers(directory) ? directory : undefined);
  return part === undefined ? undefined : `users other than root can change ${part}`;
}
