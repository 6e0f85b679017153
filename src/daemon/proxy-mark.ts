/** Tells `tuntox`, which takes the place of a user's daemon as the agent, that the daemon has a proxy which it does not find itself. */
import { messageOf, systemCodeOf } from '../base/coded-error.js';
import type { Logger } from '../base/logger.js';
import { daemonPaths, proxyMark } from '../config/daemon-paths.js';
import { replaceFile } from '../engine/state/durable-file.js';
import type { FileSystem } from '../engine/state/file-system.js';
import type { Loaded } from './configuration.js';

interface Deps {
  readonly log: Logger;
  readonly files: FileSystem;
}

/** Creates the mark, or removes that of an earlier start. Never rejects. @param defaultFile of the settings */
export async function markProxy(
  { log, files }: Deps,
  { settings, effective, file }: Pick<Loaded, 'settings' | 'effective' | 'file'>,
  defaultFile: string = daemonPaths(process.env).config,
): Promise<void> {
  const path = proxyMark(settings.stateDirectory);
  const isFound = effective.get('network.proxy')?.source === 'file' && file === defaultFile;
  try {
    if (settings.network.proxy === undefined || isFound) await files.remove(path);
    else await replaceFile(files, path, Buffer.alloc(0), { mode: 0o600, link: 'replaced' });
  } catch (error) {
    if (systemCodeOf(error) === 'ENOENT') return;
    log.warn(
      `cannot change ${path} (${messageOf(error)}): while this daemon does not run, tuntox may not know whether it needs a proxy`,
    );
  }
}
