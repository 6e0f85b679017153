/** Starting another program where this machine may have no descriptor, no memory or no right for it. */
import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';

/**
 * Never throws. Node does, where there is no memory, and returns the error otherwise by an event `error`, with a child whose
 * pipes are missing where there is no descriptor for them: they are to be used with `?.`, whatever the options say.
 * @param options.env of a helper: base/helper-environment
 */
export function trySpawn(
  program: string,
  args: readonly string[],
  options: SpawnOptions & { readonly env: NodeJS.ProcessEnv },
): ChildProcess | Error {
  try {
    const child = spawn(program, [...args], options);
    // A pipe that breaks, and a signal that cannot be sent, are told by the end of the child.
    for (const stream of [child.stdin, child.stdout, child.stderr]) stream?.on('error', () => {});
    return child.on('error', () => {});
  } catch (error) {
    return error as Error;
  }
}
