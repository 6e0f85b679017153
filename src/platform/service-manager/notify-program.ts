/**
 * Sends notifications by systemd-notify(1), if the addon is missing. Each message takes a process of some ms, and does not come from
 * our own process: the unit must have NotifyAccess=all (or exec), or systemd ignores it.
 */
import type { Clock } from '../../base/clock.js';
import { helperEnvironment } from '../../base/helper-environment.js';
import type { Logger } from '../../base/logger.js';
import { startHelper } from '../process/child.js';

/** The variables of one message, such as `READY=1`. */
export type Notification = readonly string[];

interface Deps {
  readonly clock: Clock;
  readonly log: Logger;
  readonly environment: NodeJS.ProcessEnv;
  /** Its name or path. */
  readonly command: string;
}

/** ms for one message: the program waits until systemd has read it. */
const TIMEOUT = 5_000;

export class NotifyProgram {
  readonly #deps: Deps;
  /** By kind of message, in their order. */
  readonly #waiting = new Map<string, { readonly notification: Notification; readonly resolve: () => void }>();
  #isRunning = false;
  #hasComplained = false;

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  /** Sends one message after another; a newer one replaces a waiting one of its kind. Resolves when it was read or given up; never rejects. */
  send(kind: string, notification: Notification): Promise<void> {
    return new Promise((resolve) => {
      const replaced = this.#waiting.get(kind);
      this.#waiting.delete(kind);
      const resolveBoth = (): void => {
        replaced?.resolve();
        resolve();
      };
      this.#waiting.set(kind, { notification, resolve: resolveBoth });
      if (!this.#isRunning) void this.#sendWaiting();
    });
  }

  async #sendWaiting(): Promise<void> {
    this.#isRunning = true;
    for (const [kind, { notification, resolve }] of this.#waiting) {
      this.#waiting.delete(kind);
      const failure = await this.#run(notification);
      if (failure !== undefined) this.#complain(failure);
      resolve();
    }
    this.#isRunning = false;
  }

  /** @returns why it failed */
  #run(args: Notification): Promise<string | undefined> {
    const { clock, command: program, environment } = this.#deps;
    return new Promise((resolve) => {
      const timer = clock.after(TIMEOUT, () => {
        child?.kill('SIGKILL');
        resolve(`it did not end within ${TIMEOUT / 1000} s`);
      });
      const env = helperEnvironment(environment, ['NOTIFY_SOCKET']);
      const child = startHelper({ program, args, stdin: 'ignore', env }, (failure, signal) => {
        timer.cancel();
        // At the end of the unit systemd stops all of its processes, and the message does not matter then.
        resolve(signal === 'SIGTERM' ? undefined : failure);
      });
    });
  }

  /** Warns once: the failure would recur with each ping of the watchdog. */
  #complain(failure: string): void {
    const { command, log } = this.#deps;
    const text = `cannot notify systemd with ${command}: ${failure}`;
    if (this.#hasComplained) log.debug(text);
    else log.warn(`${text}; install the package systemd, or let npm build sd-notify`);
    this.#hasComplained = true;
  }
}
