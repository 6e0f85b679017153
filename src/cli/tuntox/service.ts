/** Running unattended: `-z`, `-F` and `-U` of servers, nodes and clients with -L. */
import type { Logger } from '../../base/logger.js';
import type { LastingSettings } from '../../config/classic-settings.js';
import { lockFile } from '../../engine/state/file-lock.js';
import { type BackgroundSide, goIntoBackground } from '../../platform/process/background.js';
import { waitForSecond } from '../../platform/process/parent-process.js';
import { ownPidFile, PidFile, pidFileMark } from '../../platform/process/pid-file.js';
import { findUser, userToBecome } from '../../platform/process/privileges.js';
import { launchAs } from '../../platform/process/setpriv.js';

/** The directory in which upstream keeps the identity of a server. */
export const DEFAULT_DIRECTORY = '/etc/tuntox';

interface Deps {
  readonly process: NodeJS.Process;
  readonly log: Logger;
  /** Undefined in the foreground. */
  readonly background: BackgroundSide | undefined;
}

export class Service {
  readonly #background: BackgroundSide | undefined;
  readonly #pidFile: PidFile | undefined;

  /** Is called before anything is opened, so that a wrong user or a second process fails early. @throws PrivilegesError, PidFileError, FileLockError */
  constructor({ process, log, background }: Deps, { service: { user, pidFile } }: LastingSettings) {
    this.#background = background;
    // This process already runs as that user (runAsUser).
    if (user !== undefined) log.info(`running as the user ${findUser(user, process).name}`);
    this.#pidFile = ownPidFile({ process, log }, pidFile, lockFile);
  }

  /** Reports that the start has succeeded: the command returns to the shell. */
  async ready(): Promise<void> {
    await this.#background?.ready();
  }

  end(): void {
    this.#pidFile?.remove();
  }
}

/**
 * Runs a server or a node as another user (`-U`): root makes the pid file and starts a second process of that user, which opens
 * everything else with that user's rights.
 * @returns the exit status of the second process; undefined when this process continues
 * @throws PrivilegesError, PidFileError
 */
export async function runAsUser(
  process: NodeJS.Process,
  { service, udpPorts, relayPort }: LastingSettings,
): Promise<number | undefined> {
  const { isBackground, pidFile: path } = service;
  const user = userToBecome(service.user, process);
  if (user === undefined) return undefined;
  const launch = launchAs(user, process, { ports: [udpPorts?.first, relayPort], groupId: undefined, isBackground });
  const pidFile = path === undefined ? undefined : PidFile.hold(path, lockFile);
  if (path !== undefined) Object.assign(launch.environment, pidFileMark(pidFile));
  return isBackground ? goIntoBackground(process, launch, pidFile) : waitForSecond(process, launch, pidFile);
}
