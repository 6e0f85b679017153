/**
 * The daemon as another user. Root reads the settings file to learn which one, makes the usual directory of the socket and the pid
 * file, and starts a process of that user's, which begins anew: it reads, makes and opens all else with that user's rights alone.
 */
import { chownSync, mkdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { systemCodeOf } from '../base/coded-error.js';
import type { DaemonFlags } from '../config/daemon-flags.js';
import { SettingsError, settingsFile } from '../config/daemon-settings.js';
import { lockFile } from '../engine/state/file-lock.js';
import { goIntoBackground } from '../platform/process/background.js';
import { waitForSecond } from '../platform/process/parent-process.js';
import { PidFile, pidFileMark } from '../platform/process/pid-file.js';
import { lookUpUser, type User, userToBecome } from '../platform/process/privileges.js';
import { launchAs } from '../platform/process/setpriv.js';
import { foreignPart } from '../platform/process/trusted-path.js';
import type { Loaded } from './configuration.js';
import { groupOf } from './process-form.js';

const ROOT = 0;
/** As the Debian package and `make install` make it. */
const USUAL_USER = 'tuntox';
/** systemd makes it for its services; for others it has to be made after each start of the machine, and only root can. */
const RUNTIME_DIRECTORY = '/run/tuntox';
/** Others may pass through to the socket, whose own rights decide. */
const RUNTIME_DIRECTORY_MODE = 0o755;

interface Order {
  readonly flags: DaemonFlags;
  /** @throws SettingsError */
  readonly load: () => Loaded;
  /** What to do once another process has the signals. */
  readonly release: () => void;
}

/** @returns the exit status of the daemon as another user; undefined where this process goes on @throws SettingsError, CodedErrors that say why it did not work */
export async function runAsUser(process: NodeJS.Process, { flags, load, release }: Order): Promise<number | undefined> {
  if (process.geteuid?.() !== ROOT) return undefined;
  const { settings, effective } = loadAsRoot(process, flags, load);
  const user = userToBecome(settings.user ?? userOfCheck(flags), process);
  if (user === undefined) return undefined;
  const { network, http, socket } = settings;
  const isBackground = flags.isBackground && !flags.isCheck;
  const launch = launchAs(user, process, {
    ports: [network.udpPorts?.first, network.relayPort, http.listen?.port],
    groupId: socket.group === undefined ? undefined : groupOf(socket.group, effective).id,
    isBackground,
  });
  const path = flags.isCheck ? undefined : flags.pidFile;
  if (!flags.isCheck && dirname(socket.path) === RUNTIME_DIRECTORY) makeRuntimeDirectory(user);
  const pidFile = path === undefined ? undefined : PidFile.hold(path, lockFile);
  if (path !== undefined) Object.assign(launch.environment, pidFileMark(pidFile));
  const start = isBackground ? goIntoBackground : waitForSecond;
  const ended = start(process, launch, pidFile);
  // Only now, so that none is lost in between: it has listeners of its own.
  release();
  return ended;
}

/** What somebody else could have written decides nothing, and nothing of it is shown, unless root named it. */
function loadAsRoot(process: NodeJS.Process, { configFile }: DaemonFlags, load: () => Loaded): Loaded {
  const file = settingsFile({ configFile, environment: process.env });
  const isNamed = configFile !== undefined;
  const { part, isThere } = trustIn(file);
  if (part !== undefined && !isNamed) {
    const advice = `run chown root ${part} and chmod go-w ${part}, or name the file with --config`;
    throw new SettingsError([`root does not use ${file}, because other users can change ${part}: ${advice}`]);
  }
  const loaded = loadShowing(load, { file, part });
  // Whoever may make files there made it since.
  if (isThere || isNamed || loaded.file === undefined) return loaded;
  throw new SettingsError([`${file} appeared while the daemon was starting: start it again`]);
}

function loadShowing(load: () => Loaded, { file, part }: { readonly file: string; readonly part: string | undefined }) {
  try {
    return load();
  } catch (error) {
    if (part === undefined || !(error instanceof SettingsError)) throw error;
    const { faults, besideFile } = error;
    if (besideFile.length === faults.length) throw error;
    const advice = 'run tuntoxd --check as a user who may read it';
    throw new SettingsError([
      `${file} has mistakes, which are not shown to root, because other users can change ${part}: ${advice}`,
      ...besideFile,
    ]);
  }
}

/** @returns whether there is something to be read, and what of its path others may change */
function trustIn(file: string): { readonly isThere: boolean; readonly part: string | undefined } {
  try {
    // Links that lead to themselves end here.
    statSync(file);
    return { isThere: true, part: foreignPart(file) };
  } catch (error) {
    if (systemCodeOf(error) === undefined) throw error;
    return { isThere: false, part: undefined };
  }
}

/** Whoever checks the settings of this machine's service, means what the service could read. */
function userOfCheck({ isCheck, configFile }: DaemonFlags): string | undefined {
  return isCheck && configFile === undefined && lookUpUser(USUAL_USER) !== undefined ? USUAL_USER : undefined;
}

/** Nothing else is made as root; least of all what settings name. */
function makeRuntimeDirectory({ uid, gid }: User): void {
  try {
    mkdirSync(RUNTIME_DIRECTORY, { mode: RUNTIME_DIRECTORY_MODE });
  } catch (error) {
    // It is there, or the other process says what is wrong.
    if (systemCodeOf(error) !== undefined) return;
    throw error;
  }
  // Nobody else may change /run, so this is what was just made.
  chownSync(RUNTIME_DIRECTORY, uid, gid);
}
