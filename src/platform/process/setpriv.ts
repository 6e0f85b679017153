/**
 * Gives up the rights of root (`-U`) before anything is opened: setpriv(1) of util-linux becomes the user and executes this program
 * again, with the same arguments. (A Node that is linked with the libuv of the system, as Debian's is, refuses to change its own
 * user, because the kernel threads of io_uring would stay root; CVE-2024-22017.)
 */
import { type SpawnSyncReturns, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { systemCodeOf } from '../../base/coded-error.js';
import { helperEnvironment } from '../../base/helper-environment.js';
import { type User, UserError } from './user.js';

/** Ports below this one need CAP_NET_BIND_SERVICE. */
const DEFAULT_FIRST_FREE_PORT = 1024;
const FIRST_FREE_PORT = '/proc/sys/net/ipv4/ip_unprivileged_port_start';

export interface Needs {
  /** The ports to listen on; undefined and 0 mean none. */
  readonly ports: readonly (number | undefined)[];
  /** A group in addition to those of the user. */
  readonly groupId: number | undefined;
  /** In the foreground, the child dies with its parent. */
  readonly isBackground: boolean;
}

/** A command with its environment. */
export interface Launch {
  readonly command: readonly string[];
  readonly environment: NodeJS.ProcessEnv;
}

/** Runs a command until it exits. */
export type RunCommand = (
  command: readonly string[],
) => Pick<SpawnSyncReturns<string>, 'status' | 'signal' | 'stdout' | 'stderr' | 'error'>;

const runCommand: RunCommand = ([program = '', ...args]) =>
  spawnSync(program, args, { encoding: 'utf8', env: helperEnvironment() });

/** Returns the command that runs this program as the user. @throws UserError if setpriv is missing or fails, or the user cannot read the program */
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

/** No capabilities, or only the one for low ports; and none for programs that are started later. */
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
    return DEFAULT_FIRST_FREE_PORT;
  }
}

/** Checks the exit of setpriv and test(1), whose status 1 means no. */
function check({ status, signal, error, stderr }: ReturnType<RunCommand>, { name }: User, program: string): void {
  if (status === 0) return;
  if (systemCodeOf(error) === 'ENOENT') {
    const other = 'install it, or start this program as that user without -U, or by systemd or supervisord';
    const message = `cannot become the user ${name}: the command setpriv is missing (package util-linux): ${other}`;
    throw new UserError('no-setpriv', message, { cause: error });
  }
  if (status === 1 && stderr === '') {
    const where = 'install it where every user may read it';
    throw new UserError('failed', `the user ${name} cannot read ${program}: ${where}`);
  }
  const why = error?.message ?? (stderr.trim().split('\n', 1)[0] || `setpriv exited with ${status ?? signal}`);
  throw new UserError('failed', `cannot become the user ${name} (${why}): the program needs the rights of root`);
}

/** The command line of this program. */
export const ownCommand = ({ execPath, execArgv, argv }: NodeJS.Process): string[] => [
  ...[execPath, ...execArgv],
  ...argv.slice(1),
];

/** What this program, Node and the C library read. Everything else of root (tokens, agents, a home) stays private. */
const INHERITED =
  /^(TUNTOX_.*|PATH|LANG|LC_.*|TZ|TERM|NO_COLOR|ALL_PROXY|all_proxy|NOTIFY_SOCKET|WATCHDOG_USEC|JOURNAL_STREAM|RUNTIME_DIRECTORY|STATE_DIRECTORY|CREDENTIALS_DIRECTORY)$/;

/** A watchdog that expects the process ID of the parent is served by the child. */
function environmentFor(process: NodeJS.Process): NodeJS.ProcessEnv {
  const { WATCHDOG_PID: watched, ...all } = process.env;
  const isOther = watched !== undefined && watched !== String(process.pid);
  const inherited = Object.entries(all).filter(([name]) => INHERITED.test(name));
  return { ...Object.fromEntries(inherited), ...(isOther ? { WATCHDOG_PID: watched } : {}) };
}
