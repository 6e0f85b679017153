/**
 * A server or a node as another user (`-U`): root makes the pid file, and starts a process of that user's, which begins anew; it reads,
 * makes and opens all else with that user's rights alone.
 */
import type { LastingSettings } from '../../config/classic-settings.js';
import { lockFile } from '../../engine/file-lock.js';
import { goIntoBackground } from '../../platform/background.js';
import { waitForSecond } from '../../platform/first-process.js';
import { PidFile, pidFileMark } from '../../platform/pid-file.js';
import { userToBecome } from '../../platform/privileges.js';
import { launchAs } from '../../platform/setpriv.js';

/** @returns the exit status of the other process; undefined where this one goes on @throws PrivilegesError, PidFileError */
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
