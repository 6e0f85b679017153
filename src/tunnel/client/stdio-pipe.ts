/** Standard input and output as the local end of one tunnel (`-W`), for ssh's ProxyCommand. */
import type { Readable, Writable } from 'node:stream';
import { watchStdio } from '../../base/stdio-error.js';
import type { LocalEnd } from '../stream/local-end.js';
import { TunnelError } from '../wire/reasons.js';
import type { Target } from '../wire/target.js';
import type { Opener } from './peer-opener.js';

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
    // Before the tunnel listens, so that the cause is known when the tunnel breaks.
    const stdio = watchStdio({ stdin, stdout });
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
        reject(stdio.error ?? new TunnelError(reason));
      },
      destroy: () => {
        stdin.destroy();
        resolve();
      },
    };
    opener.open(target, {
      source: stdin,
      onAccepted: () => local,
      onRefused: (reason) => reject(new TunnelError(reason)),
    });
  });
}
