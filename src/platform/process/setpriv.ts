/**
 * Ceasing to be root (`-U`), before anything is opened: util-linux's `setpriv` becomes the user, for good, and then this program,
 * once more, as it was started. (A Node that is linked with the libuv of the system, as Debian's is, never changes its own user: it
 * cannot know whether io_uring is used, whose kernel threads would stay root; CVE-2024-22017.)
 */
import { type SpawnSyncReturns, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { systemCodeOf } from '../../base/coded-error.js';
import { helperEnvironment } from '../../base/helper-environment.js';
import { PrivilegesError, type User } from './privileges.js';

/** Below it a port needs a right. */
const USUAL_FIRST_FREE_PORT = 1024;
const FIRST_FREE_PORT = '/proc/sys/net/ipv4/ip_unprivileged_port_start';

export interface Needs {
  /** To listen on; undefined and 0 are none. */
  readonly ports: readonly (number | undefined)[];
  /** A group to be in besides those of the user. */
  readonly groupId: number | undefined;
  /** In the foreground one that was killed takes the other one along. */
  readonly isBackground: boolean;
}

/** A program that takes our place, and what it finds there. */
export interface Launch {
  readonly command: readonly string[];
  readonly environment: NodeJS.ProcessEnv;
}

/** Runs a command to its end; a test passes its own. */
export type RunCommand = (
  command: readonly string[],
) => Pick<SpawnSyncReturns<string>, 'status' | 'signal' | 'stdout' | 'stderr' | 'error'>;

const runCommand: RunCommand = ([program = '', ...args]) =>
  spawnSync(program, args, { encoding: 'utf8', env: helperEnvironment() });

/** This program as the user. @throws PrivilegesError where setpriv is missing or may not, or the user cannot read the program */
export function launchAs(
  user: User,
  process: NodeJS.Process,
  { ports, groupId, isBackground }: Needs,
  run: RunCommand = runCommand,
): Launch {
  const setpriv = ['setpriv', ...identityOf(user, groupId, run), ...rightsOf(ports.some(isLow))];
  const [, program = ''] = process.argv;
  check(run([...setpriv, '--', 'test', '-r', program]), user, program);
  return {
    command: [...setpriv, ...(isBackground ? [] : ['--pdeathsig=KILL']), '--', ...ownCommand(process)],
    environment: environmentFor(process),
  };
}

function identityOf({ name, uid, gid }: User, groupId: number | undefined, run: RunCommand): string[] {
  const identity = [`--reuid=${uid}`, `--regid=${gid}`];
  if (groupId === undefined) return [...identity, '--init-groups'];
  const { status, stdout } = run(['id', '-G', '--', name]);
  const groups = status === 0 ? stdout.trim().split(' ') : [String(gid)];
  if (groups.includes(String(groupId))) return [...identity, '--init-groups'];
  return [...identity, `--groups=${[...groups, groupId].join()}`];
}

/** None, or the one that low ports take; and no way to more, by whatever is started later. */
function rightsOf(hasLowPort: boolean): string[] {
  const kept = hasLowPort ? ',+net_bind_service' : '';
  return [...[`--inh-caps=-all${kept}`, `--ambient-caps=-all${kept}`, `--bounding-set=-all${kept}`], '--no-new-privs'];
}

function isLow(port: number | undefined): boolean {
  return port !== undefined && port > 0 && port < firstFreePort();
}

function firstFreePort(): number {
  try {
    return Number.parseInt(readFileSync(FIRST_FREE_PORT, 'latin1'), 10);
  } catch {
    return USUAL_FIRST_FREE_PORT;
  }
}

/** Of setpriv and test(1), whose 1 means no. */
function check({ status, signal, error, stderr }: ReturnType<RunCommand>, { name }: User, program: string): void {
  if (status === 0) return;
  if (systemCodeOf(error) === 'ENOENT') {
    const other = `install it, or start this as that user without -U, or by systemd or supervisord`;
    const message = `cannot become the user ${name}: the command setpriv is missing (package util-linux): ${other}`;
    throw new PrivilegesError('no-setpriv', message, { cause: error });
  }
  if (status === 1 && stderr === '') {
    const where = 'install it where every user may read it';
    throw new PrivilegesError('failed', `the user ${name} cannot read ${program}: ${where}`);
  }
  const why = error?.message ?? (stderr.trim().split('\n', 1)[0] || `setpriv ended with ${status ?? signal}`);
  throw new PrivilegesError('failed', `cannot become the user ${name} (${why}): it takes the rights of root`);
}

/** This program once more, with what it was started with. */
export const ownCommand = ({ execPath, execArgv, argv }: NodeJS.Process): string[] => [
  ...[execPath, ...execArgv],
  ...argv.slice(1),
];

/** What this program, Node and the system's libraries read. All else of root's (tokens, agents, a home) is no user's to know. */
const INHERITED =
  /^(TUNTOX_.*|PATH|LANG|LC_.*|TZ|TERM|NO_COLOR|ALL_PROXY|all_proxy|NOTIFY_SOCKET|WATCHDOG_USEC|JOURNAL_STREAM|RUNTIME_DIRECTORY|STATE_DIRECTORY|CREDENTIALS_DIRECTORY)$/;

/** Who watches us by our number alone is to take it from the second process. */
function environmentFor(process: NodeJS.Process): NodeJS.ProcessEnv {
  const { WATCHDOG_PID: watched, ...all } = process.env;
  const isOther = watched !== undefined && watched !== String(process.pid);
  const inherited = Object.entries(all).filter(([name]) => INHERITED.test(name));
  return { ...Object.fromEntries(inherited), ...(isOther ? { WATCHDOG_PID: watched } : {}) };
}
