/** What a call can end with instead of a result; the code picks the exit status of `tuntoxctl`. */
import { CodedError } from '../base/coded-error.js';

export type ControlFault =
  /** The parameters are wrong: unknown field, bad value. */
  | 'bad-params'
  | 'unknown-method'
  /** No client, connection or entry has that name; the message gives the nearest. */
  | 'not-found'
  | 'ambiguous'
  /** It would do harm that the caller has not agreed to. */
  | 'needs-confirmation'
  | 'exists'
  /** The state could not be saved: disk full, read-only; nothing has changed. */
  | 'not-saved'
  /** The client is not here. */
  | 'away'
  | 'timeout'
  /** Client and daemon have no version in common. */
  | 'version'
  /** Too many connections, or too much waiting. */
  | 'busy'
  | 'stopping'
  | 'failed';

/** The message is one sentence for people; `hint` says what to do next. */
export class ControlError extends CodedError<ControlFault> {
  readonly hint: string | undefined;

  constructor(code: ControlFault, message: string, options: { hint?: string; cause?: unknown } = {}) {
    super(code, message, options);
    this.hint = options.hint;
  }
}
