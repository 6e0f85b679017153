/**
 * Feeds the watchdog of the service manager as long as the daemon works: the timer shows that the event loop runs, and either a
 * datagram to our own socket comes back or other nodes answer. A stopped process, a blocked event loop and a dead socket are not
 * fed. A firewall alone is no reason: a new process would not do better.
 */
import type { Clock, Timer } from '../base/clock.js';
import type { Logger } from '../base/logger.js';

interface Deps {
  readonly clock: Clock;
  readonly log: Logger;
  /** Whether the stack carries packets; never rejects. */
  readonly proveAlive: () => Promise<boolean>;
  readonly feed: () => void;
}

export class Watchdog {
  readonly #deps: Deps;
  readonly #timer: Timer;
  #isChecking = false;

  /** @param interval ms between two checks; the service manager waits for several of them */
  constructor(deps: Deps, interval: number) {
    this.#deps = deps;
    this.#timer = deps.clock.every(interval, () => void this.#check());
    void this.#check();
  }

  stop(): void {
    this.#timer.cancel();
  }

  async #check(): Promise<void> {
    if (this.#isChecking) return;
    this.#isChecking = true;
    const { log, proveAlive, feed } = this.#deps;
    const isAlive = await proveAlive();
    this.#isChecking = false;
    if (isAlive) feed();
    else
      log.error(
        'no datagram to our own socket comes back, and no node or relay answers: waiting for systemd to restart the daemon',
      );
  }
}
