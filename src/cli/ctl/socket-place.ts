/** Which daemon a command talks to: the one that is named, or else the user's own if it has a socket, or else that of this machine. */
import { accessSync, constants, lstatSync } from 'node:fs';
import { type DaemonOwner, SYSTEM_SOCKET, userSocket } from '../../base/daemon-service.js';
import { type UserDirectories, userDirectories } from '../../base/user-directories.js';
import type { ParsedArguments } from './arguments.js';
import { usage } from './ctl-error.js';

/** The path of the control socket, and where it comes from. */
export interface SocketPlace {
  readonly path: string;
  readonly from: 'option' | 'environment' | 'default';
  readonly owner: DaemonOwner;
  /** For the default of a user other than root: there is no socket of the user's own daemon. */
  readonly missing?: string;
  /** Whether this user could talk to the daemon of this machine instead. */
  readonly hasOther?: boolean;
}

/** What is asked of the system; tests pass their own. */
export interface SocketFacts {
  readonly isRoot: boolean;
  readonly directories: Pick<UserDirectories, 'runtime' | 'state'>;
  readonly exists: (path: string) => boolean;
  readonly isWritable: (path: string) => boolean;
}

type Environment = Readonly<Record<string, string | undefined>>;

const ROOT = 0;

const systemFacts = (environment: Environment): SocketFacts => ({
  isRoot: process.geteuid?.() === ROOT,
  directories: userDirectories(environment),
  exists: (path) => succeeds(() => lstatSync(path)),
  isWritable: (path) => succeeds(() => accessSync(path, constants.W_OK)),
});

/** @throws CtlError `usage` when two daemons are named */
export function socketPlace(
  environment: Environment,
  given: Pick<ParsedArguments, 'has' | 'value'> | undefined,
  facts: SocketFacts = systemFacts(environment),
): SocketPlace {
  const own = userSocket(facts.directories);
  const named = given?.value('--socket');
  const chosen = ['--user', '--system'].filter((name) => given?.has(name as '--user'));
  const [owner, other = named === undefined ? undefined : '--socket'] = chosen;
  if (owner !== undefined && other !== undefined) {
    throw usage(`${owner} and ${other} name two daemons`, 'remove one of them');
  }
  if (owner === '--user') return { path: own, from: 'option', owner: 'user' };
  if (owner === '--system') return { path: SYSTEM_SOCKET, from: 'option', owner: 'system' };
  const { TUNTOX_SOCKET: variable } = environment;
  const ownerOf = (path: string): DaemonOwner => (path === own ? 'user' : 'system');
  if (named) return { path: named, from: 'option', owner: ownerOf(named) };
  if (variable) return { path: variable, from: 'environment', owner: ownerOf(variable) };
  // A daemon that root starts is that of this machine.
  if (facts.isRoot) return { path: SYSTEM_SOCKET, from: 'default', owner: 'system' };
  // A socket that a killed daemon left counts too: a change for it must not go to the other daemon.
  if (!facts.exists(own)) return { path: SYSTEM_SOCKET, from: 'default', owner: 'system', missing: own };
  return { path: own, from: 'default', owner: 'user', hasOther: facts.isWritable(SYSTEM_SOCKET) };
}

function succeeds(work: () => unknown): boolean {
  try {
    work();
    return true;
  } catch {
    return false;
  }
}
