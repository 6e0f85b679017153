/**
 * The user that we are to be instead of root (`-U`). Node can look no user up, so the C library's `getent` does; it knows those of
 * LDAP and of systemd too.
 */
import { spawnSync } from 'node:child_process';
import { CodedError, systemCodeOf } from '../../base/coded-error.js';
import { helperEnvironment } from '../../base/helper-environment.js';

/** The message says what to do. */
export class PrivilegesError extends CodedError<'no-such-user' | 'not-root' | 'no-setpriv' | 'failed'> {}

export interface User {
  readonly name: string;
  readonly uid: number;
  /** Of its own group; the supplementary ones come from the group database. */
  readonly gid: number;
}

/** @returns the line of passwd(5), undefined when there is no such user @throws PrivilegesError */
export type LookUpUser = (name: string) => string | undefined;

/** getent(1): the key was not found. */
const NOT_FOUND = 2;

export const lookUpUser: LookUpUser = (name) => {
  const { status, stdout, error } = spawnSync('getent', ['--', 'passwd', name], {
    encoding: 'utf8',
    env: helperEnvironment(),
  });
  if (error !== undefined) {
    const what = systemCodeOf(error) === 'ENOENT' ? 'the command getent is missing (package libc-bin)' : error.message;
    throw new PrivilegesError('failed', `the user ${name} cannot be looked up: ${what}`, { cause: error });
  }
  if (status === 0) return stdout.split('\n', 1)[0];
  if (status === NOT_FOUND) return undefined;
  throw new PrivilegesError('failed', `the user ${name} cannot be looked up: getent ended with ${status}`);
};

/** To be called early, so that a wrong name is said before anything was done. @param name of a user, or its number @throws PrivilegesError */
export function findUser(
  name: string,
  process: Pick<NodeJS.Process, 'geteuid'>,
  lookUp: LookUpUser = lookUpUser,
): User {
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
  const current = process.geteuid?.();
  if (current !== 0 && current !== user.uid) {
    throw new PrivilegesError(
      'not-root',
      `only root can become the user ${name}: start it as root, or as ${name} without -U`,
    );
  }
  return user;
}

/** @param name undefined to stay who we are @returns undefined when this process is that user, or nobody else is wanted @throws PrivilegesError */
export function userToBecome(
  name: string | undefined,
  process: Pick<NodeJS.Process, 'geteuid'>,
  lookUp: LookUpUser = lookUpUser,
): User | undefined {
  if (name === undefined) return undefined;
  const user = findUser(name, process, lookUp);
  return user.uid === process.geteuid?.() ? undefined : user;
}
