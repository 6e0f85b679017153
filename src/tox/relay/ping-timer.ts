/** Pings of one connection, the same at both ends: every 30 s, and whoever says nothing at all for 10 s after one is gone. */
import type { Clock, Timer } from '../../base/clock.js';
import { type Random, randomId } from '../../base/random.js';

/** Specification (TCP_PING_FREQUENCY, TCP_PING_TIMEOUT), ms. */
const PING_INTERVAL = 30_000;
const PONG_TIMEOUT = 10_000;

export interface PingTimerDeps {
  readonly clock: Clock;
  readonly random: Random;
  sendPing(id: bigint): void;
  onSilence(): void;
}

export class PingTimer {
  readonly #deps: PingTimerDeps;
  readonly #interval: Timer;
  #silence: Timer | undefined;

  constructor(deps: PingTimerDeps) {
    this.#deps = deps;
    this.#interval = deps.clock.every(PING_INTERVAL, () => this.ping());
  }

  /** Asks now. */
  ping(): void {
    if (this.#silence !== undefined) return;
    const { clock, random, sendPing, onSilence } = this.#deps;
    this.#silence = clock.after(PONG_TIMEOUT, onSilence);
    sendPing(randomId(random));
  }

  /**
   * A packet of the other side came, the pong or another one: it opened under the connection's key, so the other side lives.
   * The pong itself may be late on a slow line, behind all that waits in the system's buffers (c-toxcore insists on it).
   */
  heard(): void {
    this.#silence?.cancel();
    this.#silence = undefined;
  }

  stop(): void {
    this.#interval.cancel();
    this.#silence?.cancel();
  }
}
