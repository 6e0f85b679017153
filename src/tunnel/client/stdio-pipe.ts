/** Standard input and output as the local end of one tunnel (`-W`), as ssh wants of its ProxyCommand. */
import type { Readable, Writable } from 'node:stream';
import { CodedError, messageOf, systemCodeOf } from '../../base/coded-error.js';
import type { LocalEnd } from '../stream/local-end.js';
import { TunnelError } from '../wire/reasons.js';
import type { Target } from '../wire/target.js';
import type { Opener } from './peer-opener.js';

/** It was this side's own input or output that broke. */
export class StdioError extends CodedError<'closed-pipe' | 'failed'> {}

/**
 * Runs one tunnel between the streams and the target; resolves when both directions have ended.
 * @throws TunnelError why the tunnel was refused, or broke
 * @throws StdioError
 */
export function openStdioPipe(
  opener: Opener,
  target: Target,
  streams: { readonly stdin: Readable; readonly stdout: Writable },
): Promise<void> {
  const { stdin, stdout } = streams;
  return new Promise((resolve, reject) => {
    let fault: StdioError | undefined;
    // Before the tunnel listens, so that the cause is known when the tunnel breaks.
    stdin.on('error', (error) => {
      fault ??= new StdioError('failed', `standard input: ${messageOf(error)}`, { cause: error });
    });
    stdout.on('error', (error) => {
      fault ??=
        systemCodeOf(error) === 'EPIPE'
          ? new StdioError('closed-pipe', 'nobody reads standard output any more', { cause: error })
          : new StdioError('failed', `standard output: ${messageOf(error)}`, { cause: error });
    });
    const end: LocalEnd = {
      source: stdin,
      sink: stdout,
      lingers: false,
      localPort: undefined,
      remoteAddress: undefined,
      probe: (onSound) => onSound(),
      reset: (reason) => {
        stdin.destroy();
        stdout.destroy();
        reject(fault ?? new TunnelError(reason));
      },
      destroy: () => {
        stdin.destroy();
        resolve();
      },
    };
    opener.open(target, {
      onAccepted: () => end,
      onRefused: (reason) => reject(new TunnelError(reason)),
    });
  });
}
