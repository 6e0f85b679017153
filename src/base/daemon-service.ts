/** The two daemons that a user may find: that of this machine, and the user's own. Where their sockets are, and what starts them. */
import { join } from 'node:path';
import type { UserDirectories } from './user-directories.js';

export type DaemonOwner = 'system' | 'user';

const SOCKET_NAME = 'tuntoxd.sock';
export const SYSTEM_RUNTIME_DIRECTORY = '/run/tuntox';
export const SYSTEM_SOCKET = `${SYSTEM_RUNTIME_DIRECTORY}/${SOCKET_NAME}`;

/** Without a runtime directory it is in the state directory, which only the user may enter. */
export const userSocket = ({ runtime, state }: Pick<UserDirectories, 'runtime' | 'state'>): string =>
  join(runtime ?? state, SOCKET_NAME);

/** Commands that a person can type. */
interface ServiceCommands {
  readonly start: string;
  readonly stop: string;
  readonly restart: string;
  readonly status: string;
  readonly log: string;
  readonly hangUp: string;
}

export const SERVICE_COMMANDS: Readonly<Record<DaemonOwner, ServiceCommands>> = {
  system: {
    start: 'sudo systemctl start tuntox (or sudo supervisorctl start tuntox)',
    stop: 'sudo systemctl stop tuntox',
    restart: 'sudo systemctl restart tuntox',
    status: 'systemctl status tuntox',
    log: 'journalctl -u tuntox',
    hangUp: 'sudo systemctl kill -s HUP tuntox',
  },
  user: {
    start: 'systemctl --user start tuntox (or tuntoxd -z)',
    stop: 'systemctl --user stop tuntox',
    restart: 'systemctl --user restart tuntox',
    status: 'systemctl --user status tuntox',
    log: 'journalctl --user -u tuntox',
    hangUp: 'systemctl --user kill -s HUP tuntox',
  },
};
