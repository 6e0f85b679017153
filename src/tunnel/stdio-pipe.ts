/** Standard input and output as the local end of one tunnel (`-W`), as ssh wants of its ProxyCommand. */
import type { Readable, Writable } from 'node:stream';
import type { LocalEnd } from './local-end.js';
import type { Opener } from './peer-opener.js';
import { TunnelError } from './reasons.js';
import type { Target } from './target.js';

/**
 * Runs one tunnel between the streams and the target; resolves when both directions have ended.
 * @throws TunnelError why the tunnel was refused, or broke
 */
export function openStdioPipe(
  opener: Opener,
  target: Target,
  streams: { readonly stdin: Readable; readonly stdout: Writable },
): Promise<void> {
  const { stdin, stdout } = streams;
  return new Promise((resolve, reject) => {
    const end: LocalEnd = {
      source: stdin,
      sink: stdout,
      lingers: false,
      reset: (reason) => {
        stdin.destroy();
        stdout.destroy();
        reject(new TunnelError(reason));
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
