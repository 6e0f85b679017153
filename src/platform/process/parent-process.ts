/**
 * Runs this program as another user in the foreground: root's process waits for its child, forwards signals and exits as the child
 * does, so that the caller sees one process.
 */
import type { ChildProcess } from 'node:child_process';
import { constants } from 'node:os';
import { isatty } from 'node:tty';
import { CodedError, messageOf } from '../../base/coded-error.js';
import { trySpawn } from './child.js';
import type { PidFile } from './pid-file.js';
import type { Launch } from './setpriv.js';
import { SIGNAL_STATUS_BASE } from './signals.js';

export class ParentProcessError extends CodedError<'ended' | 'failed'> {}

const cannotStart = (error: Error): ParentProcessError =>
  new ParentProcessError('failed', `cannot start another process: ${messageOf(error)}`, { cause: error });

/** Tells the child the process ID of its parent, which it must not outlive. */
const MARK = 'TUNTOX_PARENT_PID';
/** The signals that processes send to each other. SIGUSR1 has no meaning here; those that cannot be caught end or stop both. */
const FORWARDED = ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT', 'SIGUSR2', 'SIGALRM'] as const;

/** Called once, at the start. @returns whether a parent forwards signals to this process @throws ParentProcessError */
export function hasForwardingParent(process: NodeJS.Process): boolean {
  const { [MARK]: parent } = process.env;
  delete process.env[MARK];
  // A parent that exits before the kernel knows of --pdeathsig would leave its child behind.
  if (parent !== undefined && parent !== String(process.ppid)) {
    throw new ParentProcessError('ended', 'the process of root that started this one has ended');
  }
  return parent !== undefined;
}

/**
 * Starts the child and waits for it. @param pidFile contains its process ID until it exits
 * @returns its exit status; a signal that ended it ends this process too @throws ParentProcessError
 */
export async function runChild(
  process: NodeJS.Process,
  { command, environment }: Launch,
  pidFile?: PidFile,
): Promise<number> {
  const [program = '', ...args] = command;
  // In a session of its own: it gets Ctrl-C once, from us, and cannot type into root's terminal. It still writes to the terminal,
  // but does not read from it.
  const env = { ...environment, [MARK]: String(process.pid) };
  const child = trySpawn(program, args, {
    detached: true,
    env,
    stdio: [isatty(0) ? 'ignore' : 'inherit', 'inherit', 'inherit', pidFile?.lockFd ?? 'ignore'],
  });
  if (child instanceof Error) throw cannotStart(child);
  if (child.pid !== undefined) pidFile?.write(child.pid);
  const release = forwardSignals(process, child);
  const end = await new Promise<number | NodeJS.Signals>((resolve, reject) => {
    child.once('exit', (code, signal) => resolve(code ?? signal ?? 1));
    child.once('error', (error) => reject(cannotStart(error)));
  }).finally(() => pidFile?.remove());
  release();
  if (typeof end === 'number') return end;
  process.kill(process.pid, end);
  // We are still here if our caller had the signal ignored.
  return SIGNAL_STATUS_BASE + constants.signals[end];
}

/** @returns a function that stops forwarding */
function forwardSignals(process: NodeJS.Process, child: ChildProcess): () => void {
  const forward = (signal: NodeJS.Signals): void => void child.kill(signal);
  // Ctrl-Z.
  const stop = (): void => {
    child.kill('SIGSTOP');
    process.kill(process.pid, 'SIGSTOP');
  };
  const listeners: [NodeJS.Signals, (signal: NodeJS.Signals) => void][] = [
    ...FORWARDED.map((signal): [NodeJS.Signals, typeof forward] => [signal, forward]),
    ['SIGTSTP', stop],
    ['SIGCONT', forward],
  ];
  for (const [signal, listener] of listeners) process.on(signal, listener);
  return () => {
    for (const [signal, listener] of listeners) process.removeListener(signal, listener);
  };
}
