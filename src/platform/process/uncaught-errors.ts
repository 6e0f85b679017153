/**
 * Ends the process on an uncaught exception or an unhandled rejection, because its state is unknown then. The error is reported in
 * one line: in the log, once there is one.
 */
import type { Logger } from '../../base/logger.js';
import { adviceFor, describeError, errorReport } from '../../base/program-error.js';

/** The part of the process that is used. */
export interface ExitingProcess {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stderr: { write(text: string): unknown };
  on(event: 'uncaughtException', listener: (error: unknown) => void): unknown;
  removeAllListeners(event: 'uncaughtException'): unknown;
  exit(status: number): unknown;
}

const FAILED = 1;

/** Called before anything else. Node turns unhandled rejections into uncaught exceptions. */
export function exitOnUncaughtError(process: ExitingProcess, command: string): void {
  exitAfter(process, (error) => process.stderr.write(`${command}: ${errorReport(error, process.env)}\n`));
}

/** From now on the log reports them. */
export function logUncaughtErrorsTo(process: ExitingProcess, log: Logger): void {
  exitAfter(process, (error) => {
    log.error(`${describeError(error)}: ${adviceFor(error)}`);
    if (error instanceof Error && error.stack !== undefined) log.debug(error.stack);
  });
}

/** The process has one listener. Nothing is kept in this module, of which the bundle has a copy in each of its files. */
function exitAfter(process: ExitingProcess, report: (error: unknown) => void): void {
  process.removeAllListeners('uncaughtException');
  process.on('uncaughtException', (error) => {
    try {
      report(error);
    } finally {
      process.exit(FAILED);
    }
  });
}
