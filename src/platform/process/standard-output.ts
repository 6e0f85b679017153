/** Closes standard output so that its reader sees the end. */
import { closeSync, fstatSync, openSync } from 'node:fs';
import type { Clock } from '../../base/clock.js';

/** The part of process.stdout that is used. */
export interface OutputStream {
  readonly fd: number;
  once(event: 'finish', listener: () => void): unknown;
}

/**
 * Makes `end()` close a pipe. Node leaves the descriptors of standard streams open, so an ssh whose server hung up would wait for
 * the end as long as we run.
 */
export function closePipeAtEnd(stream: OutputStream, clock: Clock): void {
  stream.once('finish', () => {
    // The event loop needs one more round to stop watching the descriptor.
    clock.soon(() => clock.soon(() => closePipe(stream.fd)));
  });
}

function closePipe(fd: number): void {
  if (!fstatSync(fd).isFIFO()) return;
  closeSync(fd);
  // /dev/null gets the number that is free now: what is still written to standard output must not reach a file or connection.
  openSync('/dev/null', 'w');
}
