/** The errors of the control protocol. The code decides the exit status of `tuntoxctl`. */
import { CodedError } from '../base/coded-error.js';

export type ControlErrorCode =
  /** The parameters have an unknown field or a bad value. */
  | 'bad-params'
  | 'unknown-method'
  /** No client, connection or entry has that name. */
  | 'not-found'
  | 'ambiguous'
  /** The change would disconnect clients or remove entries, and the request has no `confirmed`. */
  | 'needs-confirmation'
  | 'exists'
  /** The disk is full or read-only; nothing has changed. */
  | 'not-saved'
  /** The client is not connected. */
  | 'away'
  | 'timeout'
  /** Client and daemon speak different versions. */
  | 'version'
  /** There are too many connections or streams. */
  | 'busy'
  | 'stopping'
  | 'failed';

/** The message says what happened, `hint` what to do next. */
export class ControlError extends CodedError<ControlErrorCode> {
  readonly hint: string | undefined;

  constructor(code: ControlErrorCode, message: string, options: { hint?: string; cause?: unknown } = {}) {
    super(code, message, options);
    this.hint = options.hint;
  }
}
