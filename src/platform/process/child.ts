/** Starts other programs, even if the machine has no descriptor, no memory or no permission for them. */
import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { helperEnvironment } from '../../base/helper-environment.js';

/**
 * Never throws. Without memory Node throws; other errors are emitted as `error` by a child that may lack its pipes, so these are
 * used with `?.`, whatever the options say.
 */
export function trySpawn(
  program: string,
  args: readonly string[],
  options: SpawnOptions & { readonly env: NodeJS.ProcessEnv },
): ChildProcess | Error {
  try {
    const child = spawn(program, [...args], options);
    // The exit of the child reports a broken pipe, and a signal that cannot be sent.
    for (const stream of [child.stdin, child.stdout, child.stderr]) stream?.on('error', () => {});
    return child.on('error', () => {});
  } catch (error) {
    return error as Error;
  }
}

export interface HelperOptions {
  readonly program: string;
  readonly args: readonly string[];
  readonly stdin: 'pipe' | 'ignore';
  /** In a session of its own, Ctrl-C does not reach it. */
  readonly detached?: boolean;
  /** By default only what base/helper-environment passes. */
  readonly env?: NodeJS.ProcessEnv;
}

/** characters of standard error. */
const MAX_REPORT = 500;

/**
 * Starts a program that helps this one, without access to its output.
 * @param onExit called once, perhaps before this returns; gets the reason of a failure, which is the first line of standard error,
 * and the signal that ended the program
 * @returns undefined if it could not be started
 */
export function startHelper(
  { program, args, stdin, detached = false, env = helperEnvironment() }: HelperOptions,
  onExit: (failure: string | undefined, signal?: NodeJS.Signals | null) => void,
): ChildProcess | undefined {
  const child = trySpawn(program, args, { env, detached, stdio: [stdin, 'ignore', 'pipe'] });
  if (child instanceof Error) {
    onExit(child.message);
    return undefined;
  }
  let text = '';
  child.stderr?.on('data', (bytes: Buffer) => {
    text = (text + bytes.toString()).slice(0, MAX_REPORT);
  });
  // A program that could not be started emits only the error, or both.
  let hasExited = false;
  const exit = (failure: string | undefined, signal?: NodeJS.Signals | null): void => {
    if (!hasExited) onExit(failure, signal);
    hasExited = true;
  };
  child.once('error', (error) => exit(error.message));
  child.once('close', (status, signal) => {
    const report = text.trim().split('\n', 1)[0] || `${program} exited with ${status ?? signal}`;
    exit(status === 0 ? undefined : report, signal);
  });
  return child;
}
