/**
 * A link to the control socket at the place where it usually is, for those who look nowhere else: `systemctl reload`, and people.
 * It is made in a directory that the service manager made for this service (systemd.exec(5), RUNTIME_DIRECTORY) and nowhere
 * else: a daemon that somebody starts by hand is not the one that this machine's users mean.
 */
import { realpathSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { messageOf } from '../base/coded-error.js';
import type { Logger } from '../base/logger.js';
import { linkIpc } from '../control/ipc.js';
import type { KeptPath } from './socket-upkeep.js';

/** Where tuntoxctl looks. */
const USUAL_DIRECTORY = '/run/tuntox';
const USUAL_NAME = 'tuntoxd.sock';

export interface UsualSocket extends KeptPath {
  /** Unless it leads elsewhere by now. */
  remove(): void;
}

interface Deps {
  readonly log: Logger;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** @returns undefined where none is wanted, or possible, which is said. Never rejects */
export async function linkUsualSocket({ log, environment }: Deps, socket: string): Promise<UsualSocket | undefined> {
  // Several, when its owner has it make more of them.
  const directories = (environment.RUNTIME_DIRECTORY ?? '').split(':').filter((one) => one.startsWith('/'));
  const directory = directories.find((one) => one === USUAL_DIRECTORY) ?? directories[0];
  if (directory === undefined) return undefined;
  const place = join(directory, USUAL_NAME);
  try {
    // The same by another name, such as /var/run, would become a link to itself.
    if (basename(socket) === USUAL_NAME && realpathSync(dirname(socket)) === realpathSync(directory)) return undefined;
    return { path: place, ...(await linkIpc(place, socket)) };
  } catch (error) {
    log.warn(
      `cannot link ${place} to ${socket}, so tuntoxctl needs --socket, and systemctl reload fails: ${messageOf(error)}`,
    );
    return undefined;
  }
}
