/**
 * Feeds the watchdog of the service manager, and only by proof: this timer ran, so the event loop turns; and the stack's socket
 * carried a datagram to ourselves and back since the last time, or others answer. A stopped process, a loop that spins and a dead
 * socket all starve it; a firewall does not, for a new process could do no better.
 */
import type { Clock, Timer } from '../base/clock.js';
import type { Logger } from '../base/logger.js';

interface Deps {
  readonly clock: Clock;
  readonly log: Logger;
  /** Whether the stack carries anything; never rejects. */
  readonly proveAlive: () => Promise<boolean>;
  readonly feed: () => void;
}

export class Watchdog {
  readonly #deps: Deps;
  readonly #timer: Timer;
  #isAsking = false;

  /** @param interval ms between two looks; the service manager waits several of them */
  constructor(deps: Deps, interval: number) {
    this.#deps = deps;
    this.#timer = deps.clock.every(interval, () => void this.#look());
    void this.#look();
  }

  stop(): void {
    this.#timer.cancel();
  }

  async #look(): Promise<void> {
    if (this.#isAsking) return;
    this.#isAsking = true;
    const { log, proveAlive, feed } = this.#deps;
    const isAlive = await proveAlive();
    this.#isAsking = false;
    if (isAlive) feed();
    else
      log.error(
        'no datagram that we send to ourselves comes back, and no node or relay answers: the watchdog is not fed, so that systemd restarts the daemon',
      );
  }
}
