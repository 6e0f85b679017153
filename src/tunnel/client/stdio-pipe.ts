/** Standard input and output as the local end of one tunnel (`-W`), for ssh's ProxyCommand. */
import type { Readable, Writable } from 'node:stream';
import { CodedError, messageOf, systemCodeOf } from '../../base/coded-error.js';
import type { LocalEnd } from '../stream/local-end.js';
import { TunnelError } from '../wire/reasons.js';
import type { Target } from '../wire/target.js';
import type { Opener } from './peer-opener.js';

/** This side's own input or output broke. */
export class StdioError extends CodedError<'closed-pipe' | 'failed'> {}

/**
 * Runs one tunnel between the streams and the target. Resolves when both directions have ended.
 * @throws TunnelError why the tunnel was refused, or broke
 * @throws StdioError
 */
export function openStdioPipe(
  opener: Opener,
  target: Target,
  { stdin, stdout }: { readonly stdin: Readable; readonly stdout: Writable },
): Promise<void> {
  return new Promise((resolve, reject) => {
    let stdioError: StdioError | undefined;
    // Before the tunnel listens, so that the cause is known when the tunnel breaks.
    stdin.on('error', (cause) => {
      stdioError ??= new StdioError('failed', `standard input: ${messageOf(cause)}`, { cause });
    });
    stdout.on('error', (cause) => {
      stdioError ??=
        systemCodeOf(cause) === 'EPIPE'
          ? new StdioError('closed-pipe', 'standard output was closed by its reader', { cause })
          : new StdioError('failed', `standard output: ${messageOf(cause)}`, { cause });
    });
    const local: LocalEnd = {
      source: stdin,
      sink: stdout,
      lingers: false,
      localPort: undefined,
      remoteAddress: undefined,
      probe: (onIntact) => onIntact(),
      reset: (reason) => {
        stdin.destroy();
        stdout.destroy();
        reject(stdioError ?? new TunnelError(reason));
      },
      destroy: () => {
        stdin.destroy();
        resolve();
      },
    };
    opener.open(target, { onAccepted: () => local, onRefused: (reason) => reject(new TunnelError(reason)) });
  });
}
