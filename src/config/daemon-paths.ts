/**
 * The default paths of a daemon. That of the system has its own; any other user's has the directories of that user, so no settings of a
 * user reach the daemon of the system.
 */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { type DaemonOwner, SYSTEM_RUNTIME_DIRECTORY, SYSTEM_SOCKET, userSocket } from '../base/daemon-service.js';
import { userDirectories } from '../base/user-directories.js';

export interface DaemonPaths {
  readonly owner: DaemonOwner;
  /** The settings file. */
  readonly config: string;
  readonly stateDirectory: string;
  readonly socket: string;
  /** '' means none: only the user may use the socket. */
  readonly group: string;
}

const SYSTEM_DIRECTORY = '/etc/tuntox';

export const SYSTEM_PATHS: DaemonPaths = {
  owner: 'system',
  config: join(SYSTEM_DIRECTORY, 'tuntox.yaml'),
  stateDirectory: SYSTEM_DIRECTORY,
  socket: SYSTEM_SOCKET,
  group: 'tuntox',
};

/**
 * A file beside the identity of a user: the user's daemon has a proxy, which `tuntox` may not find where the daemon did: in an option, in
 * the environment, or in another file.
 */
export const proxyMark = (stateDirectory: string): string => join(stateDirectory, 'daemon_proxy');

type Environment = Readonly<Record<string, string | undefined>>;

interface FileOwner {
  readonly uid: number;
  readonly gid: number;
  readonly mode: number;
}

/** What is asked of the system; tests pass their own. */
export interface ProcessFacts {
  readonly uid: number | undefined;
  readonly gid: number | undefined;
  /** Undefined if there is no such file, or it cannot be seen. */
  readonly statusOf: (path: string) => FileOwner | undefined;
}

const systemFacts: ProcessFacts = {
  uid: process.geteuid?.(),
  gid: process.getegid?.(),
  statusOf: (path) => {
    try {
      return statSync(path);
    } catch {
      return undefined;
    }
  },
};

/** Root sets it for the process that it starts as another user: the daemon stays that of the system. */
export const SYSTEM_MARK = 'TUNTOX_OF_SYSTEM';

const ROOT = 0;
const GROUP_WRITE = 0o020;

export function daemonPaths(environment: Environment, facts: ProcessFacts = systemFacts): DaemonPaths {
  if (isOfSystem(environment, facts)) return SYSTEM_PATHS;
  const directories = userDirectories(environment);
  return {
    owner: 'user',
    config: join(directories.config, 'tuntox.yaml'),
    stateDirectory: directories.state,
    socket: userSocket(directories),
    group: '',
  };
}

function isOfSystem(environment: Environment, { uid, gid, statusOf }: ProcessFacts): boolean {
  if (uid === undefined || uid === ROOT || environment[SYSTEM_MARK] !== undefined) return true;
  // The system's service manager creates it for its services (systemd.exec(5)).
  if ((environment.RUNTIME_DIRECTORY ?? '').split(':').includes(SYSTEM_RUNTIME_DIRECTORY)) return true;
  const state = statusOf(join(SYSTEM_DIRECTORY, 'tox_save'));
  if (state !== undefined) return state.uid === uid;
  return [SYSTEM_DIRECTORY, SYSTEM_RUNTIME_DIRECTORY].some((path) => {
    const directory = statusOf(path);
    if (directory === undefined) return false;
    // People who manage the daemon have its group too, but not as their main one.
    return directory.uid === uid || (directory.gid === gid && (directory.mode & GROUP_WRITE) !== 0);
  });
}
