/** Starts another program, even if the machine has no descriptor, no memory or no permission for it. */
import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';

/**
 * Never throws. Without memory Node throws; other errors are emitted as `error` by a child that may lack its pipes, so these are
 * used with `?.`, whatever the options say.
 * @param options.env for helpers: base/helper-environment
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
