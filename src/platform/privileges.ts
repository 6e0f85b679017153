/**
 * Ceasing to be root (`-U`), once everything that needs root is open. Node can look no user up, so the C library's `getent` does;
 * it knows those of LDAP and of systemd too.
 */
import { spawnSync } from 'node:child_process';
import { CodedError, messageOf, systemCodeOf } from '../base/coded-error.js';

/** The message says what to do. */
export class PrivilegesError extends CodedError<'no-such-user' | 'not-root' | 'not-with-this-node' | 'failed'> {}

export interface User {
  readonly name: string;
  readonly uid: number;
  /** Of its own group; the supplementary ones come from the group database. */
  readonly gid: number;
}

/** What we need of the process; a test passes its own. */
export interface PrivilegedProcess {
  geteuid(): number;
  getuid(): number;
  getgid(): number;
  getegid(): number;
  setegid(id: number): void;
  initgroups(user: string, extraGroup: number): void;
  setgid(id: number): void;
  setuid(id: number): void;
}

/** Node has all of them on every system with users; its types lack one. */
export const privilegesOf = (process: NodeJS.Process): PrivilegedProcess => process as unknown as PrivilegedProcess;

/** @returns the line of passwd(5), undefined when there is no such user @throws PrivilegesError */
export type LookUpUser = (name: string) => string | undefined;

/** getent(1): the key was not found. */
const NOT_FOUND = 2;

export const lookUpUser: LookUpUser = (name) => {
  const { status, stdout, error } = spawnSync('getent', ['--', 'passwd', name], { encoding: 'utf8' });
  if (error !== undefined) {
    const what = systemCodeOf(error) === 'ENOENT' ? 'the command getent is missing (package libc-bin)' : error.message;
    throw new PrivilegesError('failed', `the user ${name} cannot be looked up: ${what}`, { cause: error });
  }
  if (status === 0) return stdout.split('\n', 1)[0];
  if (status === NOT_FOUND) return undefined;
  throw new PrivilegesError('failed', `the user ${name} cannot be looked up: getent ended with ${status}`);
};

/** To be called early, so that a wrong name is said before anything was done. @param name of a user, or its number @throws PrivilegesError */
export function findUser(name: string, process: PrivilegedProcess, lookUp: LookUpUser = lookUpUser): User {
  const line = lookUp(name);
  if (line === undefined) {
    const make = `adduser --system --group ${/^[0-9]+$/.test(name) ? 'NAME' : name}`;
    throw new PrivilegesError('no-such-user', `there is no user ${name} on this machine: make it with ${make}`);
  }
  const [found = '', , uid = '', gid = ''] = line.split(':');
  const user = { name: found, uid: Number(uid), gid: Number(gid) };
  if (found === '' || uid === '' || gid === '' || !Number.isInteger(user.uid) || !Number.isInteger(user.gid)) {
    throw new PrivilegesError('failed', `what this machine knows of the user ${name} cannot be understood`);
  }
  const current = process.geteuid();
  if (current !== 0 && current !== user.uid) {
    throw new PrivilegesError(
      'not-root',
      `only root can become the user ${name}: start it as root, or as ${name} without -U`,
    );
  }
  return user;
}

/**
 * The user that another process has to be in our place (platform/successor), because this Node cannot become it.
 * @param name undefined to stay who we are @returns undefined when this process may go on @throws PrivilegesError
 */
export function userOfSuccessor(
  name: string | undefined,
  process: PrivilegedProcess,
  lookUp: LookUpUser = lookUpUser,
): User | undefined {
  if (name === undefined || process.geteuid() !== 0 || canChange(process)) return undefined;
  const user = findUser(name, process, lookUp);
  return user.uid === process.geteuid() ? undefined : user;
}

/**
 * A Node that is linked with the libuv of the system, as Debian's is, never changes its user: it cannot know whether io_uring is used,
 * whose kernel threads would stay root (CVE-2024-22017). It refuses also to become what it is, which changes nothing where it does not.
 */
function canChange(process: PrivilegedProcess): boolean {
  try {
    process.setegid(process.getegid());
    return true;
  } catch {
    return false;
  }
}

/** For good: with the rights of the user alone, and no way back. @throws PrivilegesError */
export function becomeUser(user: User, process: PrivilegedProcess): void {
  if (process.geteuid() !== 0) return;
  try {
    // Groups first: without root they could not be given back. The user's own number last, for it ends what we may do.
    process.initgroups(user.name, user.gid);
    process.setgid(user.gid);
    process.setuid(user.uid);
  } catch (error) {
    const message = `cannot become the user ${user.name} (${messageOf(error)}): it takes the capabilities CAP_SETUID and CAP_SETGID`;
    throw new PrivilegesError('failed', message, { cause: error });
  }
  const isThere = (['getuid', 'geteuid'] as const).every((id) => process[id]() === user.uid);
  const isInGroup = (['getgid', 'getegid'] as const).every((id) => process[id]() === user.gid);
  if (!isThere || !isInGroup || (user.uid !== 0 && canGoBack(process))) {
    throw new PrivilegesError(
      'failed',
      `became the user ${user.name}, and yet has rights of root: that is not safe to go on`,
    );
  }
}

function canGoBack(process: PrivilegedProcess): boolean {
  try {
    process.setuid(0);
    return true;
  } catch {
    return false;
  }
}
