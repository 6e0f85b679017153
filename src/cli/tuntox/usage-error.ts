import { CodedError } from '../../base/coded-error.js';

/** A mistake on the command line; the message says how to correct it. */
export class UsageError extends CodedError<'usage'> {
  constructor(message: string) {
    super('usage', message);
  }
}
