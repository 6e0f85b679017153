import { CodedError } from '../base/coded-error.js';

/** A text of the command line or of a file that cannot be what it should be; the caller adds where it stood. */
export class FormatError extends CodedError<'format'> {
  constructor(message: string) {
    super('format', message);
  }
}
