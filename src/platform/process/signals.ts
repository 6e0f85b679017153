/** Signals. The first one that means to stop asks the process to stop, the second one ends it at once. */
import { constants } from 'node:os';
import type { Clock } from '../../base/clock.js';

/** Ctrl-C, the signal of init systems, and a closed terminal. */
export const STOP_SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

export type StopSignal = (typeof STOP_SIGNALS)[number];

/** The part of the process that is used. */
export interface SignalSource {
  readonly pid: number;
  on(signal: StopSignal, listener: (signal: StopSignal) => void): unknown;
  removeListener(signal: StopSignal, listener: (signal: StopSignal) => void): unknown;
  kill(pid: number, signal: StopSignal): unknown;
}

/**
 * ms in which a second signal is a duplicate: systemd signals all processes of a service, and our parent forwards its own
 * (platform/process/parent-process).
 */
const DUPLICATE = 300;

/**
 * @param signals that mean to stop
 * @param clock if given, duplicates are ignored
 * @returns a function that restores the default effect of the signals
 */
export function onStopSignal(
  source: SignalSource,
  onStop: (signal: StopSignal) => void,
  signals: readonly StopSignal[] = STOP_SIGNALS,
  clock?: Pick<Clock, 'now'>,
): () => void {
  let isAsked = false;
  let askedAt = 0;
  const release = (): void => {
    for (const name of signals) source.removeListener(name, listener);
  };
  const listener = (signal: StopSignal): void => {
    if (!isAsked) {
      isAsked = true;
      askedAt = clock?.now() ?? 0;
      onStop(signal);
      return;
    }
    if (clock !== undefined && clock.now() - askedAt < DUPLICATE) return;
    // Without a listener the signal has its default effect, and our parent sees which signal ended us.
    release();
    source.kill(source.pid, signal);
  };
  for (const name of signals) source.on(name, listener);
  return release;
}

/** SIGHUP makes a daemon reload its settings. @returns a function that restores the default effect */
export function onReloadSignal(source: SignalSource, onReload: () => void): () => void {
  const listener = (): void => onReload();
  source.on('SIGHUP', listener);
  return () => void source.removeListener('SIGHUP', listener);
}

/**
 * Ignores SIGUSR1. On this signal Node opens its debugger on a port of loopback, where every user of the machine can run code as
 * this process, unless the signal has a listener (measured with Node 20, 22 and 24).
 */
export function disableDebugger(source: { on(signal: 'SIGUSR1', listener: () => void): unknown }): void {
  source.on('SIGUSR1', () => {});
}

/**
 * Returns the signals that stop a command that lasts. `nohup` makes it ignore SIGHUP, but Node undoes that before our code runs, so
 * SIGHUP is ignored if no standard stream is a terminal.
 */
export function stopSignalsOf(streams: readonly { readonly isTTY?: boolean }[]): readonly StopSignal[] {
  return streams.some(({ isTTY }) => isTTY === true) ? STOP_SIGNALS : STOP_SIGNALS.filter((name) => name !== 'SIGHUP');
}

/** A shell reports a process that a signal ended with this plus the number of the signal. */
export const SIGNAL_STATUS_BASE = 128;

export const signalNumber = (signal: NodeJS.Signals): number => constants.signals[signal];
