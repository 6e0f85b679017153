/** Runs another program in place of this one: it has our terminal, and its exit status is ours. */
import type { ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { CodedError, systemCodeOf } from '../../base/coded-error.js';
import { trySpawn } from './child.js';
import { SIGNAL_STATUS_BASE, STOP_SIGNALS, signalNumber } from './signals.js';

const PASSED = [...STOP_SIGNALS, 'SIGCONT'] as const;

export class ProgramError extends CodedError<'missing' | 'not-started'> {}

/**
 * @returns the exit status, or 128 and the number of the signal that ended it, as a shell reports it
 * @throws ProgramError
 */
export async function runInForeground(
  process: NodeJS.Process,
  program: string,
  args: readonly string[],
): Promise<number> {
  let child: ChildProcess | Error | undefined;
  // The terminal sends Ctrl-C to both; a signal to us alone is meant for both, too.
  const pass = (signal: NodeJS.Signals): void => {
    if (!(child instanceof Error)) child?.kill(signal);
  };
  const followStop = (): void => {
    if (!(child instanceof Error) && isStopped(child?.pid)) process.kill(process.pid, 'SIGSTOP');
  };
  // Before the start, after which each of them may come.
  for (const signal of PASSED) process.on(signal, pass);
  process.on('SIGCHLD', followStop);
  try {
    child = trySpawn(program, args, { env: process.env, stdio: 'inherit' });
    if (child instanceof Error) throw notStarted(program, child);
    const started = child;
    return await new Promise((resolve, reject) => {
      started.once('error', (error) => reject(notStarted(program, error)));
      started.once('exit', (status, signal) =>
        resolve(status ?? SIGNAL_STATUS_BASE + signalNumber(signal ?? 'SIGTERM')),
      );
    });
  } finally {
    for (const signal of PASSED) process.off(signal, pass);
    process.off('SIGCHLD', followStop);
  }
}

/** ssh stops itself on ~^Z. Only when we stop as well does the shell get the terminal back. */
function isStopped(pid: number | undefined): boolean {
  try {
    return /\) T/.test(readFileSync(`/proc/${pid}/stat`, 'latin1'));
  } catch {
    return false;
  }
}

function notStarted(program: string, error: Error): ProgramError {
  return systemCodeOf(error) === 'ENOENT'
    ? new ProgramError('missing', `the program ${program} is missing on this machine`, { cause: error })
    : new ProgramError('not-started', `cannot start ${program}: ${error.message}`, { cause: error });
}
