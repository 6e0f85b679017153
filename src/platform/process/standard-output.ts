/** The end of standard output, as whoever reads it sees it. */
import { closeSync, fstatSync, openSync } from 'node:fs';
import type { Clock } from '../../base/clock.js';

/** What we need of process.stdout. */
export interface OutputStream {
  readonly fd: number;
  once(event: 'finish', listener: () => void): unknown;
}

/**
 * Makes `end()` close a pipe. Node leaves the descriptors of standard streams open, so that who reads from us would wait for
 * the end as long as we run: an ssh whose server hung up, for ever.
 */
export function closePipeAtEnd(stream: OutputStream, clock: Clock): void {
  stream.once('finish', () => {
    // Not before the event loop has looked once more, and stopped watching the descriptor.
    clock.soon(() => clock.soon(() => closePipe(stream.fd)));
  });
}

function closePipe(fd: number): void {
  if (!fstatSync(fd).isFIFO()) return;
  closeSync(fd);
  // It takes the number that is free now: no file and no connection may get what somebody still says to standard output.
  openSync('/dev/null', 'w');
}
