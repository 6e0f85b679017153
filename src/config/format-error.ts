import { CodedError } from '../base/coded-error.js';

/** A text of the command line or of a file is not valid. The caller adds its place. */
export class FormatError extends CodedError<'format'> {
  constructor(message: string) {
    super('format', message);
  }
}
