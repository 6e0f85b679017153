/** Being told to stop: the first signal asks, the second ends the process at once. */
import { constants } from 'node:os';

/** Ctrl-C, what init systems send, and a terminal that was closed. */
export const STOP_SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

export type StopSignal = (typeof STOP_SIGNALS)[number];

/** What we need of the process; a test passes its own. */
export interface SignalSource {
  readonly pid: number;
  on(signal: StopSignal, listener: (signal: StopSignal) => void): unknown;
  removeListener(signal: StopSignal, listener: (signal: StopSignal) => void): unknown;
  kill(pid: number, signal: StopSignal): unknown;
}

/** @returns a function that gives the signals back their usual effect */
export function onStopSignal(source: SignalSource, onStop: (signal: StopSignal) => void): () => void {
  let isAsked = false;
  const release = (): void => {
    for (const name of STOP_SIGNALS) source.removeListener(name, listener);
  };
  const listener = (signal: StopSignal): void => {
    if (!isAsked) {
      isAsked = true;
      onStop(signal);
      return;
    }
    // Without a listener the signal has its usual effect, and whoever waits for us sees what ended us.
    release();
    source.kill(source.pid, signal);
  };
  for (const name of STOP_SIGNALS) source.on(name, listener);
  return release;
}

export const signalNumber = (signal: StopSignal): number => constants.signals[signal];
