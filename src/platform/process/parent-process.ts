/**
 * A second process in our place, as another user (platform/process/setpriv), in the foreground: this first one, of root's, waits for it, does
 * nothing but pass signals on, and ends as it ends. Whoever started us sees one process.
 */
import type { ChildProcess } from 'node:child_process';
import { constants } from 'node:os';
import { isatty } from 'node:tty';
import { CodedError, messageOf } from '../../base/coded-error.js';
import { trySpawn } from './child.js';
import type { PidFile } from './pid-file.js';
import type { Launch } from './setpriv.js';

export class FirstProcessError extends CodedError<'ended' | 'failed'> {}

const cannotStart = (error: Error): FirstProcessError =>
  new FirstProcessError('failed', `cannot start another process: ${messageOf(error)}`, { cause: error });

/** Tells the second process the number of the first, which it must not outlive. */
const MARK = 'TUNTOX_FIRST_PROCESS';
/** What programs send to each other; SIGUSR1 means nothing to us, and what cannot be caught ends or stops us both. */
const PASSED_ON = ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT', 'SIGUSR2', 'SIGALRM'] as const;
/** What a shell reports of a process that a signal ended. */
const SIGNAL_STATUS_BASE = 128;

/** To be asked once, at the start. @returns whether a first process passes signals on to this one @throws FirstProcessError */
export function hasFirstProcess(process: NodeJS.Process): boolean {
  const { [MARK]: first } = process.env;
  // What we start has none.
  delete process.env[MARK];
  // Whoever dies before the kernel was told whom to tell would leave us behind.
  if (first !== undefined && first !== String(process.ppid)) {
    throw new FirstProcessError('ended', 'the process of root that started this one has ended');
  }
  return first !== undefined;
}

/** Starts the second process, and waits. @param pidFile gets its number until it ends @returns the status with which to end, unless a signal ended it and us @throws FirstProcessError */
export async function waitForSecond(
  process: NodeJS.Process,
  { command, environment }: Launch,
  pidFile?: PidFile,
): Promise<number> {
  const [program = '', ...args] = command;
  // In a session of its own: Ctrl-C comes to it once, through us, and it cannot type into root's terminal. What it writes still goes
  // there; what is typed there it does not read.
  const env = { ...environment, [MARK]: String(process.pid) };
  const child = trySpawn(program, args, {
    detached: true,
    env,
    stdio: [isatty(0) ? 'ignore' : 'inherit', 'inherit', 'inherit', pidFile?.lockFd ?? 'ignore'],
  });
  if (child instanceof Error) throw cannotStart(child);
  if (child.pid !== undefined) pidFile?.write(child.pid);
  const release = passSignals(process, child);
  const end = await new Promise<number | NodeJS.Signals>((resolve, reject) => {
    child.once('exit', (code, signal) => resolve(code ?? signal ?? 1));
    child.once('error', (error) => reject(cannotStart(error)));
  }).finally(() => pidFile?.remove());
  release();
  if (typeof end === 'number') return end;
  process.kill(process.pid, end);
  // Still here: whoever started us ignores that signal.
  return SIGNAL_STATUS_BASE + constants.signals[end];
}

/** @returns what ends it */
function passSignals(process: NodeJS.Process, child: ChildProcess): () => void {
  const pass = (signal: NodeJS.Signals): void => void child.kill(signal);
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
