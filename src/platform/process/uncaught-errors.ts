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
  exit(status: number): unknown;
}

const FAILED = 1;
let log: Logger | undefined;

export function logUncaughtErrorsTo(logger: Logger): void {
  log = logger;
}

/** Called before anything else. Node turns unhandled rejections into uncaught exceptions. */
export function exitOnUncaughtError(process: ExitingProcess, command: string): void {
  process.on('uncaughtException', (error) => {
    try {
      if (log === undefined) process.stderr.write(`${command}: ${errorReport(error, process.env)}\n`);
      else logError(log, error);
    } finally {
      process.exit(FAILED);
    }
  });
}

function logError(log: Logger, error: unknown): void {
  log.error(`${describeError(error)}: ${adviceFor(error)}`);
  if (error instanceof Error && error.stack !== undefined) log.debug(error.stack);
}
