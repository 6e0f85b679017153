/** What is said when a command did not work, and its exit status. */
import { CodedError } from '../../base/coded-error.js';
import { adviceFor, describeFault } from '../../base/program-fault.js';
import { ControlError, type ControlFault } from '../../control/control-error.js';
import { harmless, harmlessJson, wrapped } from '../columns.js';
import { CtlError } from './ctl-error.js';
import { ExitStatus } from './exit-status.js';

export interface FailureReport {
  readonly schema: 'tuntox.error/1';
  readonly code: string;
  readonly message: string;
  readonly hint: string | null;
  readonly exitStatus: number;
}

const STATUSES: Partial<Record<ControlFault, ExitStatus>> = {
  'bad-params': ExitStatus.Usage,
  'not-found': ExitStatus.NotFound,
  ambiguous: ExitStatus.NotFound,
  timeout: ExitStatus.Timeout,
};
/** Where the daemon names no next step. */
const HINTS: Partial<Record<ControlFault, string>> = {
  timeout: 'journalctl -u tuntox says what it is doing',
  busy: 'try again in a moment',
  stopping: 'look with: systemctl status tuntox',
  'not-saved': 'nothing has changed; look at the disk of its state directory',
  failed: 'journalctl -u tuntox says more',
};

export function failureOf(error: unknown): FailureReport {
  const base = { schema: 'tuntox.error/1' } as const;
  if (error instanceof CtlError) {
    return { ...base, code: error.code, message: error.message, hint: error.hint ?? null, exitStatus: error.status };
  }
  if (error instanceof ControlError) {
    const { code, message } = error;
    const hint = error.hint ?? HINTS[code] ?? null;
    return { ...base, code, message, hint, exitStatus: STATUSES[code] ?? ExitStatus.Failed };
  }
  // Everything that can be expected has a code of ours; the rest is a fault of the program, and its place is wanted.
  if (error instanceof CodedError) {
    return { ...base, code: 'failed', message: error.message, hint: null, exitStatus: ExitStatus.Failed };
  }
  return {
    ...base,
    code: 'failed',
    message: describeFault(error),
    hint: adviceFor(error),
    exitStatus: ExitStatus.Failed,
  };
}

/** Lines for people: what happened, then what to do next. */
export function failureText({ message, hint }: FailureReport, columns: number): string {
  const lines = `tuntoxctl: ${message}`.split('\n').flatMap((line) => wrapped(harmless(line), columns));
  const hints = hint === null ? [] : wrapped(harmless(hint), columns - 2).map((line) => `  ${line}`);
  return `${[...lines, ...hints].join('\n')}\n`;
}

export const failureJson = (failure: FailureReport): string => `${harmlessJson(JSON.stringify(failure))}\n`;
