/** What a mode of the command works with. */
import type { Readable, Writable } from 'node:stream';
import type { Logger } from '../../base/logger.js';
import { type StopSignal, signalNumber } from '../../platform/signals.js';
import { SIGNAL_STATUS_BASE } from './exit-status.js';
import type { GivenFiles } from './given-files.js';

export interface Context {
  readonly log: Logger;
  readonly stdin: Readable;
  readonly stdout: Writable;
  readonly stopping: Stopping;
}

/** What it begins with. */
export interface StartContext extends Context {
  readonly given: GivenFiles;
}

/** Being asked to stop: at most once, and remembered for who looks later. */
export class Stopping {
  #resolve: (signal: StopSignal) => void = () => {};
  readonly asked: Promise<StopSignal>;

  constructor() {
    this.asked = new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }

  ask(signal: StopSignal): void {
    this.#resolve(signal);
  }

  /** Resolves to the status of a command that did what it should, or was told to stop before. */
  async orStatusOf(work: Promise<number>): Promise<number> {
    return Promise.race([work, this.asked.then((signal) => SIGNAL_STATUS_BASE + signalNumber(signal))]);
  }
}
