/**
 * Runs the daemon as another user. Root reads the settings file to learn which one, creates the default directory of the socket and
 * the pid file, and starts a process of that user, which reads the settings again and opens everything else with its own rights.
 */
import { chownSync, lstatSync, mkdirSync, readdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { CodedError, systemCodeOf } from '../base/coded-error.js';
import { SYSTEM_RUNTIME_DIRECTORY } from '../base/daemon-service.js';
import { isListenedOn } from '../base/unix-listener.js';
import type { DaemonFlags } from '../config/daemon-flags.js';
import { SYSTEM_MARK } from '../config/daemon-paths.js';
import { SettingsError, settingsFile } from '../config/daemon-settings.js';
import { lockFile } from '../engine/state/file-lock.js';
import { runAs } from '../platform/process/service-process.js';
import { untrustedPart } from '../platform/process/trusted-path.js';
import { lookUpUser, type User, userToBecome } from '../platform/process/user.js';
import type { Loaded } from './configuration.js';
import { groupOf } from './process-setup.js';

const ROOT = 0;
/** The user that the Debian package and `make install` create. */
const DEFAULT_USER = 'tuntox';
/** Other users may enter it: the mode of the socket decides. */
const RUNTIME_DIRECTORY_MODE = 0o755;

/** The message says what to do. */
export class RuntimeDirectoryError extends CodedError<'in-use'> {}

interface Options {
  readonly flags: DaemonFlags;
  /** @throws SettingsError */
  readonly load: () => Loaded;
  /** Called once another process handles the signals. */
  readonly release: () => void;
}

/** @returns the exit status of the daemon as another user; undefined if this process continues @throws SettingsError, and other CodedErrors */
export async function runAsUser(
  process: NodeJS.Process,
  { flags, load, release }: Options,
): Promise<number | undefined> {
  if (process.geteuid?.() !== ROOT) return undefined;
  const { settings, effective } = loadAsRoot(process, flags, load);
  const user = userToBecome(settings.user ?? userOfCheck(flags), process);
  if (user === undefined) return undefined;
  const { network, http, socket } = settings;
  if (!flags.isCheck && dirname(socket.path) === SYSTEM_RUNTIME_DIRECTORY) await makeRuntimeDirectory(user);
  process.env[SYSTEM_MARK] = '1';
  const ended = runAs(process, user, {
    ports: [network.udpPorts?.first, network.relayPort, http.listen?.port],
    groupId: socket.group === undefined ? undefined : groupOf(socket.group, effective).id,
    isBackground: flags.isBackground && !flags.isCheck,
    pidFile: flags.isCheck ? undefined : flags.pidFile,
    lockFile,
  });
  // The listeners that forward signals exist now, so that no signal is lost.
  release();
  return ended;
}

/** Loads settings that no other user could have written. Their content is shown only if root named the file. */
function loadAsRoot(process: NodeJS.Process, { configFile }: DaemonFlags, load: () => Loaded): Loaded {
  const file = settingsFile({ configFile, environment: process.env });
  const isNamed = configFile !== undefined;
  const { part, isThere } = trustIn(file);
  if (part !== undefined && !isNamed) {
    const advice = `run chown root ${part} and chmod go-w ${part}, or name the file with --config`;
    throw new SettingsError([`root does not use ${file}, because other users can change ${part}: ${advice}`]);
  }
  const loaded = loadShowing(load, { file, part });
  // A user who can create files there has created it since.
  if (isThere || isNamed || loaded.file === undefined) return loaded;
  throw new SettingsError([`${file} appeared while the daemon was starting: start it again`]);
}

function loadShowing(load: () => Loaded, { file, part }: { readonly file: string; readonly part: string | undefined }) {
  try {
    return load();
  } catch (error) {
    if (part === undefined || !(error instanceof SettingsError)) throw error;
    const { errors, outsideFile } = error;
    if (outsideFile.length === errors.length) throw error;
    const advice = 'run tuntoxd --check as a user who may read it';
    throw new SettingsError([
      `${file} has errors, which are not shown to root, because other users can change ${part}: ${advice}`,
      ...outsideFile,
    ]);
  }
}

/** @returns whether the file exists, and which part of its path other users can change */
function trustIn(file: string): { readonly isThere: boolean; readonly part: string | undefined } {
  try {
    // A loop of links fails here.
    statSync(file);
    return { isThere: true, part: untrustedPart(file) };
  } catch (error) {
    if (systemCodeOf(error) === undefined) throw error;
    return { isThere: false, part: undefined };
  }
}

/** `--check` without a named file is about the service of this machine, so it checks what the service can read. */
function userOfCheck({ isCheck, configFile }: DaemonFlags): string | undefined {
  return isCheck && configFile === undefined && lookUpUser(DEFAULT_USER) !== undefined ? DEFAULT_USER : undefined;
}

/**
 * systemd creates it for its services. For other services it is created at each start of the machine, which only root can do. A daemon
 * that ran as root has left one of root. Root creates nothing else, least of all a directory that the settings name.
 * @throws RuntimeDirectoryError if a daemon that runs as root still uses it
 */
export async function makeRuntimeDirectory(
  { name, uid, gid }: Pick<User, 'name' | 'uid' | 'gid'>,
  path = SYSTEM_RUNTIME_DIRECTORY,
): Promise<void> {
  try {
    mkdirSync(path, { mode: RUNTIME_DIRECTORY_MODE });
  } catch (error) {
    if (systemCodeOf(error) === undefined) throw error;
    const status = lstatSync(path, { throwIfNoEntry: false });
    // The other process reports the error.
    if (status?.isDirectory() !== true || status.uid !== ROOT) return;
    const socket = await socketInUse(path);
    if (socket !== undefined) {
      const advice = 'stop that program first, or name another place with socket.path in the settings';
      throw new RuntimeDirectoryError(
        'in-use',
        `a program that runs as root listens on ${socket}, so ${path} cannot become the directory of the user ${name}: ${advice}`,
      );
    }
  }
  // No other user can change /run, so this is the directory that was just created or looked at.
  chownSync(path, uid, gid);
}

/** @returns the path of a socket, or of a link to one, on which a process listens: the owner of the directory could replace it */
async function socketInUse(directory: string): Promise<string | undefined> {
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name);
    if ((entry.isSocket() || entry.isSymbolicLink()) && (await isListenedOn(path))) return path;
  }
  return undefined;
}
