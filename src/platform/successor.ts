/**
 * Another process in our place, as another user (`-U`): for a Node that refuses to change its own. util-linux's `setpriv` becomes the
 * user, for good, and then this program, once more. In the background it is on its own; in the foreground this process of root's
 * waits for it, does nothing but pass signals on, and ends as it ends: whoever started us sees one process.
 */
import { type ChildProcess, type SpawnSyncReturns, type StdioOptions, spawn, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { constants } from 'node:os';
import type { Duplex } from 'node:stream';
import { messageOf, systemCodeOf } from '../base/coded-error.js';
import { type Bequest, PIPE_FD } from './bequest.js';
import { PrivilegesError, type User } from './privileges.js';

/** What programs send to each other; SIGUSR1 means nothing to us, and what cannot be caught ends or stops us both. */
const PASSED_ON = ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT', 'SIGUSR2', 'SIGALRM'] as const;
/** What a shell reports of a process that a signal ended. */
const SIGNAL_STATUS_BASE = 128;
/** Below it a port needs a right. */
const USUAL_FIRST_FREE_PORT = 1024;
const FIRST_FREE_PORT = '/proc/sys/net/ipv4/ip_unprivileged_port_start';

export interface Needs {
  /** To listen on; undefined and 0 are none. */
  readonly ports: readonly (number | undefined)[];
  /** A group to be in besides those of the user. */
  readonly groupId: number | undefined;
}

/** A program that takes our place, and what it finds there. */
export interface Launch {
  readonly command: readonly string[];
  readonly environment: NodeJS.ProcessEnv;
  readonly bequest: Bequest;
}

/** Runs a command to its end; a test passes its own. */
export type RunCommand = (
  command: readonly string[],
) => Pick<SpawnSyncReturns<string>, 'status' | 'signal' | 'stdout' | 'stderr' | 'error'>;

const runCommand: RunCommand = ([program = '', ...args]) => spawnSync(program, args, { encoding: 'utf8' });

/** What becomes a user, and can do what that user can. */
export class Setpriv {
  readonly #user: User;
  readonly #run: RunCommand;
  readonly #rights: readonly string[];

  /** @throws PrivilegesError where it is missing, or cannot become the user */
  constructor(user: User, { ports, groupId }: Needs, run: RunCommand = runCommand) {
    this.#user = user;
    this.#run = run;
    const rights = rightsOf(ports.some(isLow));
    const usual = [...identityOf(user), '--init-groups', ...rights];
    const groups = this.#groups(usual);
    const isMember = groupId === undefined || groups.includes(String(groupId));
    this.#rights = isMember ? usual : [...identityOf(user), `--groups=${[...groups, groupId].join()}`, ...rights];
  }

  /** Whether the user may do that with a file or directory, by test(1). */
  may(what: '-r' | '-w', path: string): boolean {
    return this.#run(['setpriv', ...this.#rights, '--', 'test', what, path]).status === 0;
  }

  /** Of this program, as it was started. @throws PrivilegesError */
  launch(process: NodeJS.Process, bequest: Bequest, { isBackground }: { readonly isBackground: boolean }): Launch {
    const [, program = ''] = process.argv;
    if (!this.may('-r', program)) {
      const where = 'install it where every user may read it';
      throw new PrivilegesError('failed', `the user ${this.#user.name} cannot read ${program}: ${where}`);
    }
    return {
      // In the foreground one that was killed takes the other one along.
      command: [...this.prefix({ dies: !isBackground }), ...ownCommand(process)],
      environment: environmentFor(process, bequest),
      bequest,
    };
  }

  /** What comes before a command. @param options.dies whether it is killed when the process ends that starts it */
  prefix({ dies }: { readonly dies: boolean }): string[] {
    return ['setpriv', ...this.#rights, ...(dies ? ['--pdeathsig=KILL'] : []), '--'];
  }

  /** Those of the user; with that, it is known whether it works at all. */
  #groups(rights: readonly string[]): string[] {
    const { status, signal, error, stdout, stderr } = this.#run(['setpriv', ...rights, '--', 'id', '-G']);
    if (status === 0) return stdout.trim().split(' ');
    const { name } = this.#user;
    if (systemCodeOf(error) === 'ENOENT') {
      const other = 'start it without -U as that user, or by systemd or supervisord';
      throw new PrivilegesError(
        'not-with-this-node',
        `this Node cannot become the user ${name}, and setpriv, which could, is missing (package util-linux): ${other}`,
        { cause: error },
      );
    }
    const why = error?.message ?? (stderr.trim().split('\n', 1)[0] || `setpriv ended with ${status ?? signal}`);
    throw new PrivilegesError('failed', `cannot become the user ${name} (${why}): it takes the rights of root`);
  }
}

const identityOf = ({ uid, gid }: User): string[] => [`--reuid=${uid}`, `--regid=${gid}`];

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

/** This program once more, with what it was started with. */
export const ownCommand = ({ execPath, execArgv, argv }: NodeJS.Process): string[] => [
  ...[execPath, ...execArgv],
  ...argv.slice(1),
];

/** Who watches us by our number alone is to take it from the successor. */
function environmentFor(process: NodeJS.Process, bequest: Bequest): NodeJS.ProcessEnv {
  const { WATCHDOG_PID: watched, ...rest } = process.env;
  const isOther = watched !== undefined && watched !== String(process.pid);
  return { ...rest, ...(isOther ? { WATCHDOG_PID: watched } : {}), ...bequest.environment };
}

type Stream = 'inherit' | 'ignore' | 'pipe';

/** Standard streams, then the pipe and the open files of the bequest. */
export function streamsFor(
  standard: readonly [Stream, Stream, Stream],
  bequest: Bequest | undefined,
): (Stream | number)[] {
  return bequest === undefined ? [...standard] : [...standard, 'pipe', ...bequest.descriptors];
}

/** @param parent whom the successor must not outlive @returns resolves once it has taken all, or has ended */
export async function handOver(child: ChildProcess, bequest: Bequest, parent: number | undefined): Promise<void> {
  const pipe = child.stdio[PIPE_FD] as Duplex;
  const bytes = bequest.encode(parent);
  bequest.release();
  await new Promise<void>((resolve) => {
    // It may end without having read.
    pipe.on('error', () => resolve());
    pipe.on('close', () => resolve());
    pipe.resume();
    pipe.end(bytes);
  });
  bytes.fill(0);
}

/** Starts a successor in the foreground, and waits. @returns the status with which to end, unless a signal ended it and us */
export async function waitForSuccessor(
  process: NodeJS.Process,
  { command, environment, bequest }: Launch,
): Promise<number> {
  const [program = '', ...args] = command;
  const stdio: StdioOptions = streamsFor(['inherit', 'inherit', 'inherit'], bequest);
  // In a session of its own: Ctrl-C comes to it once, through us, and root's terminal is out of its reach.
  const child = spawn(program, args, { detached: true, env: environment, stdio });
  const release = passSignals(process, child, handOver(child, bequest, process.pid));
  const end = await new Promise<number | NodeJS.Signals>((resolve) => {
    child.once('exit', (code, signal) => resolve(code ?? signal ?? 1));
    child.once('error', (error) => {
      process.stderr.write(`cannot start another process: ${messageOf(error)}\n`);
      resolve(1);
    });
  });
  release();
  if (typeof end === 'number') return end;
  process.kill(process.pid, end);
  // Still here: whoever started us ignores that signal.
  return SIGNAL_STATUS_BASE + constants.signals[end];
}

/** @param isReady resolves once the other one has listeners of its own; what comes before would end it @returns what ends it */
function passSignals(process: NodeJS.Process, child: ChildProcess, isReady: Promise<void>): () => void {
  const pass = (signal: NodeJS.Signals): void => void isReady.then(() => child.kill(signal));
  // Ctrl-Z, and going on.
  const stop = (): void => {
    child.kill('SIGSTOP');
    process.kill(process.pid, 'SIGSTOP');
  };
  const goOn = (): void => void child.kill('SIGCONT');
  for (const signal of PASSED_ON) process.on(signal, pass);
  process.on('SIGTSTP', stop);
  process.on('SIGCONT', goOn);
  return () => {
    for (const signal of PASSED_ON) process.removeListener(signal, pass);
    process.removeListener('SIGTSTP', stop);
    process.removeListener('SIGCONT', goOn);
  };
}
