/** What the modes of the command work with. */
import type { Readable, Writable } from 'node:stream';
import type { Logger } from '../../base/logger.js';
import type { AgentRemote, Remote } from '../../engine/agent/agent-remote.js';
import { SIGNAL_STATUS_BASE, type StopSignal, signalNumber } from '../../platform/process/signals.js';
import type { ListenDescriptor } from '../../platform/service-manager/listen-descriptors.js';
import type { CompiledClient } from './compiled-client.js';
import type { GivenFiles } from './given-files.js';
import type { NewsEvent } from './json-events.js';
import type { ProgressOptions } from './progress.js';

export interface Context {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly log: Logger;
  readonly stdin: Readable;
  readonly stdout: Writable;
  /** Whether standard output may get colours. */
  readonly hasColour: boolean;
  readonly stopping: StopRequest;
  /** Undefined when the log alone tells what happens. */
  readonly display?: Display | undefined;
  /** Sockets that the service manager has opened. */
  readonly descriptors: readonly ListenDescriptor[];
  /** Prints an event (--json). */
  readonly tell?: ((event: NewsEvent) => void) | undefined;
}

/** Shows a person what happens to a connection, which the log need not tell as well. */
export interface Display {
  /** @returns a function that ends it */
  follow(server: Pick<Remote, 'watch'>, options: ProgressOptions): () => void;
}

export interface StartContext extends Context {
  readonly given: GivenFiles;
  /** The way of a client through the agent; undefined for a connection of its own. */
  readonly remote: AgentRemote | undefined;
  readonly compiled: CompiledClient;
}

/** A request to stop, by the first signal. */
export class StopRequest {
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

  /** Resolves to the status of the work, or of the signal if that comes first. */
  async orStatusOf(work: Promise<number>): Promise<number> {
    return Promise.race([work, this.asked.then((signal) => SIGNAL_STATUS_BASE + signalNumber(signal))]);
  }
}
