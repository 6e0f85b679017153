/**
 * A link at the default path of the control socket, for a socket elsewhere: `systemctl reload` and tuntoxctl use the default path.
 * It is created only in the runtime directory that the service manager created for this service (systemd.exec(5),
 * RUNTIME_DIRECTORY): a daemon that was started by hand is not the service of this machine.
 */
import { realpathSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { messageOf } from '../base/coded-error.js';
import { SYSTEM_RUNTIME_DIRECTORY, SYSTEM_SOCKET } from '../base/daemon-service.js';
import type { Logger } from '../base/logger.js';
import { linkIpc } from '../control/ipc.js';
import type { KeptPath } from '../platform/socket-upkeep.js';

const SOCKET_NAME = basename(SYSTEM_SOCKET);

export interface DefaultSocket extends KeptPath {
  /** Removes the link, unless it leads elsewhere by now. */
  remove(): void;
}

interface Deps {
  readonly log: Logger;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** @returns undefined if no link is wanted, or none is possible, which is logged. Never rejects */
export async function linkDefaultSocket(
  { log, environment }: Deps,
  socket: string,
): Promise<DefaultSocket | undefined> {
  // A unit can have several.
  const directories = (environment.RUNTIME_DIRECTORY ?? '').split(':').filter((one) => one.startsWith('/'));
  const directory = directories.find((one) => one === SYSTEM_RUNTIME_DIRECTORY) ?? directories[0];
  if (directory === undefined) return undefined;
  const path = join(directory, SOCKET_NAME);
  try {
    // The same directory by another name, such as /var/run: the link would lead to itself.
    if (basename(socket) === SOCKET_NAME && realpathSync(dirname(socket)) === realpathSync(directory)) return undefined;
    return { path, ...(await linkIpc(path, socket)) };
  } catch (error) {
    log.warn(
      `cannot link ${path} to ${socket}, so tuntoxctl needs --socket ${socket}, and systemctl reload fails: ${messageOf(error)}`,
    );
    return undefined;
  }
}
