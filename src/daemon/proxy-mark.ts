/** Tells `tuntox`, which takes the place of a user's daemon as the agent, that the daemon has a proxy. */
import { messageOf } from '../base/coded-error.js';
import type { Logger } from '../base/logger.js';
import { proxyMark } from '../config/daemon-paths.js';
import { replaceFile } from '../engine/state/durable-file.js';
import type { FileSystem } from '../engine/state/file-system.js';
import type { Loaded } from './configuration.js';

interface Deps {
  readonly log: Logger;
  readonly files: FileSystem;
}

type Settings = Pick<Loaded['settings'], 'stateDirectory' | 'network'>;

/** Creates the mark if there is a proxy, before anything is sent. Never rejects. */
export async function markProxy({ log, files }: Deps, { stateDirectory, network }: Settings): Promise<void> {
  if (network.proxy === undefined) return;
  const path = proxyMark(stateDirectory);
  await attempt(log, path, replaceFile(files, path, Buffer.alloc(0), { mode: 0o600, link: 'replaced' }));
}

/** Removes the mark of an earlier start if there is no proxy, once the daemon runs without one. Never rejects. */
export async function unmarkProxy({ log, files }: Deps, { stateDirectory, network }: Settings): Promise<void> {
  if (network.proxy !== undefined) return;
  const path = proxyMark(stateDirectory);
  await attempt(log, path, files.remove(path));
}

async function attempt(log: Logger, path: string, change: Promise<unknown>): Promise<void> {
  try {
    await change;
  } catch (error) {
    log.warn(
      `cannot change ${path} (${messageOf(error)}): while this daemon does not run, tuntox may not know whether it needs a proxy`,
    );
  }
}
