/** The errors of tuntoxctl, how they are reported, and the exit statuses. */
import { CodedError } from '../../base/coded-error.js';
import { harmless, harmlessJson, wrapped } from '../../base/columns.js';
import { type DaemonOwner, SERVICE_COMMANDS } from '../../base/daemon-service.js';
import { adviceFor, describeError } from '../../base/program-error.js';
import { ControlError, type ControlErrorCode } from '../../control/control-error.js';
import type { CommandError } from '../../control/messages/upkeep.js';

export const ExitStatus = {
  Ok: 0,
  Failed: 1,
  Usage: 2,
  NotRunning: 3,
  Permission: 4,
  /** Not found, or ambiguous. */
  NotFound: 5,
  /** The daemon runs, but needs attention. */
  Degraded: 6,
  Timeout: 7,
  /** Ctrl-C: what a shell reports for SIGINT. */
  Interrupted: 130,
  /** The reader closed the output: what a shell reports for SIGPIPE. */
  ClosedPipe: 141,
  /** What a shell reports for SIGTERM. */
  Terminated: 143,
} as const;

export type ExitStatus = (typeof ExitStatus)[keyof typeof ExitStatus];

export type CtlErrorCode =
  | 'usage'
  | 'not-running'
  | 'no-socket'
  | 'permission'
  | 'not-found'
  | 'timeout'
  | 'version'
  | 'failed';

const STATUSES: Readonly<Record<CtlErrorCode, ExitStatus>> = {
  usage: ExitStatus.Usage,
  'not-running': ExitStatus.NotRunning,
  'no-socket': ExitStatus.Failed,
  permission: ExitStatus.Permission,
  'not-found': ExitStatus.NotFound,
  timeout: ExitStatus.Timeout,
  version: ExitStatus.Failed,
  failed: ExitStatus.Failed,
};

export class CtlError extends CodedError<CtlErrorCode> {
  /** What to do next. */
  readonly hint: string | undefined;

  constructor(
    code: CtlErrorCode,
    message: string,
    options: { readonly hint?: string | undefined; cause?: unknown } = {},
  ) {
    super(code, message, options);
    this.hint = options.hint;
  }

  get status(): ExitStatus {
    return STATUSES[this.code];
  }
}

/** The hint for two programs of different versions. */
export const sameVersion = (owner: DaemonOwner): string =>
  `use the same version of both; after an upgrade: ${SERVICE_COMMANDS[owner].restart}`;

/** Makes the error for a mistake on the command line. */
export const usage = (message: string, hint?: string): CtlError => new CtlError('usage', message, { hint });

const STATUS_OF_CONTROL_ERROR: Partial<Record<ControlErrorCode, ExitStatus>> = {
  'bad-params': ExitStatus.Usage,
  'not-found': ExitStatus.NotFound,
  ambiguous: ExitStatus.NotFound,
  timeout: ExitStatus.Timeout,
};

export type ErrorReport = CommandError;

export function errorReport(error: unknown): ErrorReport {
  const base = { schema: 'tuntox.error/1' } as const;
  if (error instanceof CtlError) {
    return { ...base, code: error.code, message: error.message, hint: error.hint ?? null, exitStatus: error.status };
  }
  if (error instanceof ControlError) {
    const { code, message } = error;
    return {
      ...base,
      code,
      message,
      hint: error.hint ?? null,
      exitStatus: STATUS_OF_CONTROL_ERROR[code] ?? ExitStatus.Failed,
    };
  }
  // Every expected error has a code of ours. Any other is a bug, and is reported with its place.
  if (error instanceof CodedError) {
    return { ...base, code: 'failed', message: error.message, hint: null, exitStatus: ExitStatus.Failed };
  }
  return {
    ...base,
    code: 'failed',
    message: describeError(error),
    hint: adviceFor(error),
    exitStatus: ExitStatus.Failed,
  };
}

/** Lines for people: what happened, then what to do next. */
export function errorText({ message, hint }: ErrorReport, columns: number): string {
  const lines = `tuntoxctl: ${message}`.split('\n').flatMap((line) => wrapped(harmless(line), columns));
  const hints = hint === null ? [] : wrapped(harmless(hint), columns - 2).map((line) => `  ${line}`);
  return `${[...lines, ...hints].join('\n')}\n`;
}

export const errorJson = (report: ErrorReport): string => `${harmlessJson(JSON.stringify(report))}\n`;
