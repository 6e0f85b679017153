/** The streams of the control socket: until the client cancels one or disconnects. */
import type { Clock } from '../../base/clock.js';

export interface Repetition {
  readonly clock: Clock;
  readonly intervalMs: number;
  readonly signal: AbortSignal;
}

/** Calls at once, and again after each interval, until the stream ends. @throws what a call throws, which ends it too */
export async function repeat({ clock, intervalMs, signal }: Repetition, call: () => void): Promise<void> {
  call();
  await new Promise<void>((resolve, reject) => {
    const timer = clock.every(intervalMs, () => {
      try {
        call();
      } catch (error) {
        timer.cancel();
        reject(error);
      }
    });
    void aborted(signal).then(() => {
      timer.cancel();
      resolve();
    });
  });
}

/** Resolves when the client of a stream cancels it or disconnects. */
export function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
