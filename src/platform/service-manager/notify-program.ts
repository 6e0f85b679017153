/**
 * systemd's own program for talking to the service manager, for where the addon is missing. Each message costs a process of some
 * ms, and comes from another process than ours: the unit must say NotifyAccess=all (or exec), or systemd will not listen.
 */
import type { Clock } from '../../base/clock.js';
import { helperEnvironment } from '../../base/helper-environment.js';
import type { Logger } from '../../base/logger.js';
import { trySpawn } from '../process/child.js';

/** Variables of one message, such as `READY=1`. */
export type Notification = readonly string[];

interface Deps {
  readonly clock: Clock;
  readonly log: Logger;
  readonly environment: NodeJS.ProcessEnv;
  /** Its name or path. */
  readonly command: string;
}

/** ms for one message: it waits until systemd has read it, and a systemd that does not read must not keep us waiting. */
const PATIENCE = 5_000;
/** Messages that wait for the one before. Each kind waits once, and there are five. */
const MOST_WAITING = 8;

interface Waiting {
  readonly kind: string;
  readonly notification: Notification;
  readonly done: Promise<void>;
  readonly resolve: () => void;
}

export class NotifyProgram {
  readonly #deps: Deps;
  #waiting: Waiting[] = [];
  #isRunning = false;
  #hasComplained = false;

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  /** One after the other, because their order has a meaning. Resolves once it was read or given up; never rejects. */
  async send(kind: string, notification: Notification): Promise<void> {
    // Of two of a kind that wait, the newer one says it all.
    const replaced = this.#waiting.find((one) => one.kind === kind);
    this.#waiting = this.#waiting.filter((one) => one !== replaced).slice(-MOST_WAITING);
    let resolve = (): void => {};
    const done = new Promise<void>((settle) => {
      resolve = settle;
    });
    this.#waiting.push({ kind, notification, done, resolve });
    if (replaced !== undefined) void done.then(replaced.resolve);
    if (!this.#isRunning) void this.#work();
    await done;
  }

  async #work(): Promise<void> {
    this.#isRunning = true;
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
      const failure = await this.#run(next.notification);
      if (failure !== undefined) this.#complain(failure);
      next.resolve();
    }
    this.#isRunning = false;
  }

  /** @returns why it failed */
  async #run(notification: Notification): Promise<string | undefined> {
    const { clock, command, environment } = this.#deps;
    return new Promise((resolve) => {
      const child = trySpawn(command, notification, {
        env: helperEnvironment(environment, ['NOTIFY_SOCKET']),
        stdio: ['ignore', 'ignore', 'pipe'],
      });
      if (child instanceof Error) {
        resolve(child.message);
        return;
      }
      const timer = clock.after(PATIENCE, () => {
        child.kill('SIGKILL');
        end(`it did not end within ${PATIENCE / 1000} s`);
      });
      const end = (failure: string | undefined): void => {
        timer.cancel();
        resolve(failure);
      };
      let text = '';
      child.stderr?.on('data', (bytes: Buffer) => {
        text = (text + bytes.toString()).slice(0, 500);
      });
      child.once('error', (error) => end(error.message));
      child.once('close', (status, signal) => {
        // At the end of the unit systemd stops all its processes, and this one does not matter then.
        if (signal === 'SIGTERM') this.#deps.log.debug(`${command} was stopped before systemd had read it`);
        const isFailure = status !== 0 && signal !== 'SIGTERM';
        end(!isFailure ? undefined : `${text.trim().split('\n', 1)[0] || `it ended with ${status ?? signal}`}`);
      });
    });
  }

  /** Once: it would come again with each ping. */
  #complain(failure: string): void {
    const { command, log } = this.#deps;
    const text = `cannot tell systemd about us with ${command}: ${failure}`;
    if (this.#hasComplained) log.debug(text);
    else log.warn(`${text}; install the package systemd, or let npm build sd-notify`);
    this.#hasComplained = true;
  }
}
