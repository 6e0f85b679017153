/**
 * The user to become instead of root (`-U`). Node cannot look up users, so getent(1) of the C library does; it also knows those of
 * LDAP and of systemd.
 */
import { spawnSync } from 'node:child_process';
import { CodedError, systemCodeOf } from '../../base/coded-error.js';
import { helperEnvironment } from '../../base/helper-environment.js';

/** The message says what to do. */
export class UserError extends CodedError<'no-such-user' | 'not-root' | 'no-setpriv' | 'failed'> {}

export interface User {
  readonly name: string;
  readonly uid: number;
  /** The primary group. */
  readonly gid: number;
}

/** Returns the line of passwd(5), or undefined if there is no such user. @throws UserError */
export type LookUpUser = (name: string) => string | undefined;

/** The exit status of getent(1) if the key was not found. */
const NOT_FOUND = 2;

export const lookUpUser: LookUpUser = (name) => {
  const { status, stdout, error } = spawnSync('getent', ['--', 'passwd', name], {
    encoding: 'utf8',
    env: helperEnvironment(),
  });
  if (error !== undefined) {
    const what = systemCodeOf(error) === 'ENOENT' ? 'the command getent is missing (package libc-bin)' : error.message;
    throw new UserError('failed', `cannot look up the user ${name}: ${what}`, { cause: error });
  }
  if (status === 0) return stdout.split('\n', 1)[0];
  if (status === NOT_FOUND) return undefined;
  throw new UserError('failed', `cannot look up the user ${name}: getent exited with ${status}`);
};

/** Called early, so that a wrong name is reported before anything is done. @param name or a user ID @throws UserError */
export function findUser(
  name: string,
  process: Pick<NodeJS.Process, 'geteuid'>,
  lookUp: LookUpUser = lookUpUser,
): User {
  const line = lookUp(name);
  if (line === undefined) {
    const make = `adduser --system --group ${/^[0-9]+$/.test(name) ? 'NAME' : name}`;
    throw new UserError('no-such-user', `there is no user ${name} on this machine: create it with ${make}`);
  }
  const [found = '', , uid = '', gid = ''] = line.split(':');
  const user = { name: found, uid: Number(uid), gid: Number(gid) };
  if (found === '' || uid === '' || gid === '' || !Number.isInteger(user.uid) || !Number.isInteger(user.gid)) {
    throw new UserError('failed', `the entry of the user ${name} in the user database cannot be understood`);
  }
  const current = process.geteuid?.();
  if (current !== 0 && current !== user.uid) {
    throw new UserError(
      'not-root',
      `only root can become the user ${name}: start the program as root, or as ${name} without -U`,
    );
  }
  return user;
}

/** Returns undefined if this process already runs as the user, or no other user is wanted. @throws UserError */
export function userToBecome(
  name: string | undefined,
  process: Pick<NodeJS.Process, 'geteuid'>,
  lookUp: LookUpUser = lookUpUser,
): User | undefined {
  if (name === undefined) return undefined;
  const user = findUser(name, process, lookUp);
  return user.uid === process.geteuid?.() ? undefined : user;
}
