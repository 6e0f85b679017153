/** Being told to stop: the first signal asks, the second ends the process at once. */
import { constants } from 'node:os';
import type { Clock } from '../../base/clock.js';

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

/**
 * Implementation: ms in which the same again is an echo: systemd tells all processes of a service, and the one that waits for us
 * passes it on (platform/process/parent-process). Whoever means it a second time will do it a third time.
 */
const ECHO = 300;

/**
 * @param signals that mean to stop
 * @param clock given, an echo counts for nothing
 * @returns a function that gives the signals back their usual effect
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
    if (clock !== undefined && clock.now() - askedAt < ECHO) return;
    // Without a listener the signal has its usual effect, and whoever waits for us sees what ended us.
    release();
    source.kill(source.pid, signal);
  };
  for (const name of signals) source.on(name, listener);
  return release;
}

/** A daemon has no terminal that could be closed: SIGHUP means to read the settings anew. @returns a function that ends it */
export function onReloadSignal(source: SignalSource, onReload: () => void): () => void {
  const listener = (): void => onReload();
  source.on('SIGHUP', listener);
  return () => void source.removeListener('SIGHUP', listener);
}

/**
 * Upon SIGUSR1 Node opens its debugger on a port of loopback, where every user of the machine may run code as this process; not
 * so where somebody listens to that signal, measured with Node 20, 22 and 24. For good: without a listener again, the signal ends the process.
 */
export function keepDebuggerShut(source: { on(signal: 'SIGUSR1', listener: () => void): unknown }): void {
  source.on('SIGUSR1', () => {});
}

/**
 * Of a command that is to last. `nohup` has SIGHUP ignored, and Node forgets that before our code runs; so it is ignored where no
 * standard stream is a terminal, as after `nohup`: then there is none whose end could be meant.
 */
export function stopSignalsOf(streams: readonly { readonly isTTY?: boolean }[]): readonly StopSignal[] {
  return streams.some(({ isTTY }) => isTTY === true) ? STOP_SIGNALS : STOP_SIGNALS.filter((name) => name !== 'SIGHUP');
}

export const signalNumber = (signal: StopSignal): number => constants.signals[signal];
