/** Where the files of a user are: the XDG Base Directory Specification. */
import { statSync } from 'node:fs';
import { userInfo } from 'node:os';
import { isAbsolute, join } from 'node:path';

type Environment = Readonly<Record<string, string | undefined>>;

/** What is asked of the system; tests pass their own. */
export interface UserFacts {
  /** The effective user; undefined where there are no users. */
  readonly uid: number | undefined;
  /** The owner of a file; undefined if there is none, or it cannot be seen. */
  readonly ownerOf: (path: string) => number | undefined;
  /** The home directory in the user database; undefined if the user is not there. */
  readonly home: () => string | undefined;
}

export interface UserDirectories {
  /** `~/.config/tuntox` */
  readonly config: string;
  /** `~/.local/state/tuntox` */
  readonly state: string;
  /** `~/.cache/tuntox` */
  readonly cache: string;
  /** `/run/user/UID/tuntox`; undefined if the user has no runtime directory. */
  readonly runtime: string | undefined;
  /** `~`. */
  readonly home: string;
}

const NAME = 'tuntox';

const systemFacts: UserFacts = {
  uid: process.geteuid?.(),
  ownerOf: (path) => {
    try {
      return statSync(path).uid;
    } catch {
      return undefined;
    }
  },
  home: () => {
    try {
      return userInfo().homedir;
    } catch {
      return undefined;
    }
  },
};

/**
 * The specification has relative paths ignored. After `su` and `sudo` the environment may still be that of the other user: a
 * directory of another owner is not used, so that nothing of root is created there.
 */
export function userDirectories(environment: Environment, facts: UserFacts = systemFacts): UserDirectories {
  const home = homeOf(environment, facts);
  const place = (variable: string, byDefault: string): string =>
    join(absolute(environment[variable]) ?? join(home, byDefault), NAME);
  // Without a session, as after su, the variable is not set, but the user may have another session.
  const runtime = [absolute(environment.XDG_RUNTIME_DIR), `/run/user/${facts.uid}`].find(
    (directory) => directory !== undefined && facts.uid !== undefined && facts.ownerOf(directory) === facts.uid,
  );
  return {
    config: place('XDG_CONFIG_HOME', '.config'),
    state: place('XDG_STATE_HOME', '.local/state'),
    cache: place('XDG_CACHE_HOME', '.cache'),
    runtime: runtime === undefined ? undefined : join(runtime, NAME),
    home,
  };
}

function homeOf({ HOME }: Environment, { uid, ownerOf, home }: UserFacts): string {
  const given = absolute(HOME);
  const owner = given === undefined ? undefined : ownerOf(given);
  if (given !== undefined && (owner === undefined || owner === uid)) return given;
  return absolute(home()) ?? given ?? '/';
}

const absolute = (path: string | undefined): string | undefined =>
  path !== undefined && isAbsolute(path) ? path : undefined;
