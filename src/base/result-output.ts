/** Results on standard output: whether they were written, and why not. */
import { fstatSync, statSync } from 'node:fs';
import { systemClock } from './clock.js';
import { CodedError, systemCodeOf } from './coded-error.js';

/** A result that could not be written. The message names the reason. */
export class OutputError extends CodedError<'closed-pipe' | 'not-written'> {}

/** What we need of process.stdout to write a result. */
export interface ResultStream {
  write(text: string, done: (error?: Error | null) => void): unknown;
  once(event: 'error', listener: (error: Error) => void): unknown;
}

const REASONS: Readonly<Record<string, string>> = {
  ENOSPC: 'no space is left there',
  EDQUOT: 'the quota is used up',
  EFBIG: 'the file would be too large',
  EIO: 'the device has failed',
  EBADF: 'it is not open for writing',
};

export function outputError(error: Error): OutputError {
  const code = systemCodeOf(error) ?? error.message;
  if (code === 'EPIPE')
    return new OutputError('closed-pipe', 'the reader has closed standard output', { cause: error });
  return new OutputError('not-written', `cannot write to standard output: ${REASONS[code] ?? code}`, { cause: error });
}

/** Resolves when `text` and all before it is with the system. @throws OutputError */
export async function writeResult(stream: ResultStream, text: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    // Of both, the event has the first error; the other may only say that there was one.
    stream.once('error', (error) => reject(outputError(error)));
    stream.write(text, (error) => {
      if (error === undefined || error === null) resolve();
      else systemClock.soon(() => reject(outputError(error)));
    });
  });
}

/** Whether what is written there is lost. Node opens this device, too, where standard output was closed before the start. */
export function isNullDevice(fd: number): boolean {
  const [output, device] = [fstatSync(fd), statSync('/dev/null', { throwIfNoEntry: false })];
  return output.isCharacterDevice() && output.rdev === device?.rdev;
}
