/** The stored hosts of the user who runs the command. */
import { join } from 'node:path';
import { systemClock } from '../../base/clock.js';
import { didYouMean, similarNames } from '../../base/nearest.js';
import { userDirectories } from '../../base/user-directories.js';
import { type Host, HostError } from '../../engine/client/host-entry.js';
import { HostFile } from '../../engine/client/host-file.js';
import { lockFile } from '../../engine/state/file-lock.js';
import { nodeFileSystem } from '../../engine/state/file-system.js';
import { COMMANDS } from './commands.js';
import { UsageError } from './usage-error.js';

type Environment = Readonly<Record<string, string | undefined>>;

export function openHosts(environment: Environment): HostFile {
  const { config, home } = userDirectories(environment);
  const places = { directory: config, upstreamFile: join(home, '.tuntox', 'hosts') };
  return new HostFile({ files: nodeFileSystem, lock: lockFile, clock: systemClock }, places);
}

/** @throws UsageError for a name that no host has; HostError, JsonFileError, FileError */
export async function findHost(name: string, environment: Environment): Promise<Host> {
  try {
    return await openHosts(environment).find(name);
  } catch (error) {
    if (error instanceof HostError && error.code === 'unknown') throw new UsageError(error.message);
    throw error;
  }
}

/** Finds the host that stands in the place of a command. @throws as findHost; the message names commands, too */
export async function findHostOrCommand(word: string, environment: Environment): Promise<Host> {
  const hosts = openHosts(environment);
  try {
    return await hosts.find(word);
  } catch (error) {
    if (!(error instanceof HostError && error.code === 'unknown')) throw error;
    const names = [...COMMANDS, ...(await hosts.list())].map(({ name }) => name);
    const meant = didYouMean(similarNames(word, names)) ?? `"tuntox join LINK ${word}" stores a host`;
    throw new UsageError(`there is no command or host "${word}": ${meant}`);
  }
}
