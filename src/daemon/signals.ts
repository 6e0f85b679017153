/** The signals of the daemon, from before the settings are read. A signal during the start takes effect after it. */
import type { Clock } from '../base/clock.js';
import { onReloadSignal, onStopSignal, type SignalSource } from '../platform/process/signals.js';

export class DaemonSignals {
  readonly stop: Promise<string>;
  readonly #releases: (() => void)[];
  #reload: (() => void) | undefined;
  #isReloadDue = false;

  /** @param clock if given, duplicate signals are ignored */
  constructor(source: SignalSource, clock?: Pick<Clock, 'now'>) {
    let onStop: (signal: string) => void = () => {};
    this.stop = new Promise((resolve) => {
      onStop = resolve;
    });
    const onReload = (): void => {
      if (this.#reload === undefined) this.#isReloadDue = true;
      else this.#reload();
    };
    this.#releases = [onStopSignal(source, onStop, ['SIGINT', 'SIGTERM'], clock), onReloadSignal(source, onReload)];
  }

  onReload(listener: () => void): void {
    this.#reload = listener;
    if (this.#isReloadDue) listener();
  }

  /** Restores the default effects. */
  release(): void {
    for (const release of this.#releases) release();
  }
}
