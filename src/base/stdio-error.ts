/** Errors of standard input and output, which broken streams report when nobody asks. */
import type { Readable, Writable } from 'node:stream';
import { CodedError, messageOf, systemCodeOf } from './coded-error.js';

/** This side's own input or output broke. */
export class StdioError extends CodedError<'closed-pipe' | 'failed'> {}

/** Listens from now on. @returns the first error; undefined while there is none */
export function watchStdio({ stdin, stdout }: { readonly stdin: Readable; readonly stdout: Writable }): {
  readonly error: StdioError | undefined;
} {
  const watch: { error: StdioError | undefined } = { error: undefined };
  stdin.on('error', (cause) => {
    watch.error ??= new StdioError('failed', `standard input: ${messageOf(cause)}`, { cause });
  });
  stdout.on('error', (cause) => {
    watch.error ??=
      systemCodeOf(cause) === 'EPIPE'
        ? new StdioError('closed-pipe', 'standard output was closed by its reader', { cause })
        : new StdioError('failed', `standard output: ${messageOf(cause)}`, { cause });
  });
  return watch;
}
