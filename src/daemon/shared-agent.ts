/** The daemon of this machine shares the targets of its forwards with those users whom the setting `agent.users` names. */
import { statSync } from 'node:fs';
import { dirname } from 'node:path';
import { SYSTEM_PLACES } from '../agent/socket-file.js';
import type { Logger } from '../base/logger.js';
import type { DaemonSettings } from '../config/daemon-settings.js';
import type { AgentOptions } from './client-role.js';

const ENTER_BY_OTHERS = 0o001;

/** @param groupId of the control socket @returns undefined if nobody may use the agent's socket */
export function sharedAgent(
  log: Logger,
  users: DaemonSettings['agent']['users'],
  groupId: number | undefined,
  places = SYSTEM_PLACES,
): Pick<AgentOptions, 'places' | 'sharedWith'> | undefined {
  const directory = dirname(places.inRuntime ?? '');
  switch (users) {
    case 'none':
      return undefined;
    case 'group':
      if (groupId !== undefined) return { places, sharedWith: { users, id: groupId } };
      log.warn('agent.users: group: the control socket has no group, so no user may use the forwards by agent.sock');
      return undefined;
    case 'all':
      if (!mayOthersEnter(directory)) {
        const advice = `for systemd, add RuntimeDirectoryMode=0755 under [Service] with systemctl edit tuntox; otherwise run chmod o+x ${directory}`;
        log.warn(`agent.users: all: other users cannot enter ${directory}: ${advice}`);
      }
      return { places, sharedWith: { users } };
  }
}

/** True also without the directory, which is an error of the socket. */
function mayOthersEnter(directory: string): boolean {
  try {
    return (statSync(directory).mode & ENTER_BY_OTHERS) !== 0;
  } catch {
    return true;
  }
}
