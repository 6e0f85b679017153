import { CodedError } from '../../base/coded-error.js';
import { ExitStatus } from './exit-status.js';

export type CtlFault =
  | 'usage'
  | 'not-running'
  | 'no-socket'
  | 'permission'
  | 'not-found'
  | 'timeout'
  | 'version'
  | 'failed';

const STATUSES: Readonly<Record<CtlFault, ExitStatus>> = {
  usage: ExitStatus.Usage,
  'not-running': ExitStatus.NotRunning,
  'no-socket': ExitStatus.Failed,
  permission: ExitStatus.Permission,
  'not-found': ExitStatus.NotFound,
  timeout: ExitStatus.Timeout,
  version: ExitStatus.Failed,
  failed: ExitStatus.Failed,
};

/** What a command ends with when it does not work; the hint says what to do next. */
export class CtlError extends CodedError<CtlFault> {
  readonly hint: string | undefined;

  constructor(code: CtlFault, message: string, options: { readonly hint?: string | undefined; cause?: unknown } = {}) {
    super(code, message, options);
    this.hint = options.hint;
  }

  get status(): ExitStatus {
    return STATUSES[this.code];
  }
}

/** The command was called wrongly. */
export const usage = (message: string, hint?: string): CtlError => new CtlError('usage', message, { hint });
