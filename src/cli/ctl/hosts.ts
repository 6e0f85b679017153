/** The hosts that this user has stored with `tuntox join LINK NAME`. Loaded only by the commands that need them. */
import { join } from 'node:path';
import { systemClock } from '../../base/clock.js';
import { userDirectories } from '../../base/user-directories.js';
import { type Host, HostError } from '../../engine/client/host-entry.js';
import { HostFile } from '../../engine/client/host-file.js';
import { lockFile } from '../../engine/state/file-lock.js';
import { nodeFileSystem } from '../../engine/state/file-system.js';
import { CtlError } from './ctl-error.js';

type Environment = Readonly<Record<string, string | undefined>>;

function openHosts(environment: Environment): HostFile {
  const { config, home } = userDirectories(environment);
  const places = { directory: config, upstreamFile: join(home, '.tuntox', 'hosts') };
  return new HostFile({ files: nodeFileSystem, lock: lockFile, clock: systemClock }, places);
}

/** @throws CtlError `not-found`; FileError, JsonFileError */
export async function findHost(name: string, environment: Environment): Promise<Host> {
  try {
    return await openHosts(environment).find(name);
  } catch (error) {
    if (!(error instanceof HostError)) throw error;
    const hint = 'HOST is a name of tuntox list, a link (tuntox://…), or a Tox ID';
    throw new CtlError(error.code === 'unknown' ? 'not-found' : 'failed', error.message, { hint, cause: error });
  }
}

export const hostNames = async (environment: Environment): Promise<string[]> =>
  (await openHosts(environment).list()).map(({ name }) => name);
