/** The process of a command that lasts: its log, the background (-z), the user (-U) and the pid file (-F). */
import { finished } from 'node:stream/promises';
import { systemClock } from '../../base/clock.js';
import { forgetSecrets } from '../../base/helper-environment.js';
import type { Logger } from '../../base/logger.js';
import { Syslog } from '../logging/syslog.js';
import { type BackgroundProcess, backgroundProcess, startInBackground } from './background.js';
import { runChild } from './parent-process.js';
import { type LockFile, ownPidFile, PidFile, pidFileMark } from './pid-file.js';
import { launchAs, type Needs } from './setpriv.js';
import { logUncaughtErrorsTo } from './uncaught-errors.js';
import { findUser, type User } from './user.js';

interface LogDestination {
  readonly stream: NodeJS.WritableStream & { readonly fd?: number; readonly isTTY?: boolean };
  /** Whether lines begin with a priority. */
  readonly isSyslog: boolean;
}

interface RunOptions<Log> {
  /** The name in syslog. */
  readonly program: string;
  readonly isBackground: boolean;
  readonly isSyslog: boolean;
  readonly openLog: (destination: LogDestination) => Log;
  /** Called before a second process takes over. */
  readonly release?: () => void;
}

/** Opens the log and works, or starts a process in the background that does. @returns the exit status @throws what the work throws, BackgroundError */
export async function runProcess<Log extends { readonly logger: Logger }>(
  process: NodeJS.Process,
  { program, isBackground, isSyslog, openLog, release }: RunOptions<Log>,
  work: (log: Log, background: BackgroundProcess | undefined) => Promise<number>,
): Promise<number> {
  const background = backgroundProcess(process);
  if (isBackground && background === undefined) {
    release?.();
    return startInBackground(process);
  }
  forgetSecrets(process.env);
  const stderr = background?.stderr ?? process.stderr;
  const deps = { clock: systemClock, fallback: stderr, pid: process.pid };
  const syslog = isSyslog ? new Syslog(deps, { tag: program }) : undefined;
  const log = openLog({ stream: syslog ?? stderr, isSyslog });
  logUncaughtErrorsTo(process, log.logger);
  try {
    return await work(log, background);
  } finally {
    syslog?.end();
    if (syslog !== undefined) await finished(syslog);
  }
}

interface ServiceOptions {
  readonly user: string | undefined;
  readonly pidFile: string | undefined;
}

interface Deps {
  readonly process: NodeJS.Process;
  readonly log: Logger;
  readonly lockFile: LockFile;
  /** Undefined in the foreground. */
  readonly background: BackgroundProcess | undefined;
}

export class ServiceProcess {
  readonly #background: BackgroundProcess | undefined;
  readonly #pidFile: PidFile | undefined;

  /**
   * Created before anything is opened, so that a wrong user or a second process fails early. The process already runs as the user.
   * @throws UserError, PidFileError, and what the lock throws
   */
  constructor({ process, log, lockFile, background }: Deps, { user, pidFile }: ServiceOptions) {
    this.#background = background;
    if (user !== undefined) log.info(`running as the user ${findUser(user, process).name}`);
    this.#pidFile = ownPidFile({ process, log }, pidFile, lockFile);
  }

  /** Reports that the start has succeeded: the command returns to the shell. */
  async ready(): Promise<void> {
    await this.#background?.ready();
  }

  end(): void {
    this.#pidFile?.remove();
  }
}

interface AsUser extends Needs {
  readonly pidFile: string | undefined;
  readonly lockFile: LockFile;
}

/**
 * Runs this program again as another user: root creates the pid file, and the second process opens everything else with the
 * rights of that user.
 * @returns the exit status @throws UserError, PidFileError, BackgroundError, ParentProcessError
 */
export function runAs(
  process: NodeJS.Process,
  user: User,
  { pidFile: path, lockFile, ...needs }: AsUser,
): Promise<number> {
  const launch = launchAs(user, process, needs);
  const pidFile = path === undefined ? undefined : PidFile.hold(path, lockFile);
  if (path !== undefined) Object.assign(launch.environment, pidFileMark(pidFile));
  return (needs.isBackground ? startInBackground : runChild)(process, launch, pidFile);
}
