import { CodedError } from '../../base/coded-error.js';

/** The command was called wrongly; the message says how to call it. */
export class UsageError extends CodedError<'usage'> {
  constructor(message: string) {
    super('usage', message);
  }
}
