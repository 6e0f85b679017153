/** Streams of the control socket: they go on until their client has enough, or goes. */
import type { Clock } from '../../base/clock.js';

/** Resolves when the signal is aborted. */
export function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

/** Does it now, and each `interval` ms. What it throws ends it. */
export async function every(
  { clock, interval, signal }: { readonly clock: Clock; readonly interval: number; readonly signal: AbortSignal },
  action: () => void,
): Promise<void> {
  action();
  await new Promise<void>((resolve, reject) => {
    const timer = clock.every(interval, () => {
      try {
        action();
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
