/** Writes results to standard output, and reports whether that worked. */
import { fstatSync, statSync } from 'node:fs';
import { systemClock } from './clock.js';
import { CodedError, systemCodeOf } from './coded-error.js';
import { systemReason } from './system-error.js';

/** A result that could not be written. The message names the reason. */
export class OutputError extends CodedError<'closed-pipe' | 'not-written'> {}

/** The part of process.stdout that is used. */
export interface ResultStream {
  write(text: string, done: (error?: Error | null) => void): unknown;
  once(event: 'error', listener: (error: Error) => void): unknown;
}

export function outputError(error: Error): OutputError {
  if (systemCodeOf(error) === 'EPIPE')
    return new OutputError('closed-pipe', 'the reader has closed standard output', { cause: error });
  const reason = systemReason(error, { EBADF: 'it is not open for writing' });
  return new OutputError('not-written', `cannot write to standard output: ${reason}`, { cause: error });
}

/** Resolves when the system has the text, and all before it. @throws OutputError */
export async function writeResult(stream: ResultStream, text: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    // Both report an error; only the event has the original one.
    stream.once('error', (error) => reject(outputError(error)));
    stream.write(text, (error) => {
      if (error === undefined || error === null) resolve();
      else systemClock.soon(() => reject(outputError(error)));
    });
  });
}

/** Returns whether output is lost. Node also opens /dev/null if standard output was closed at the start. */
export function isNullDevice(fd: number): boolean {
  const [output, device] = [fstatSync(fd), statSync('/dev/null', { throwIfNoEntry: false })];
  return output.isCharacterDevice() && output.rdev === device?.rdev;
}
