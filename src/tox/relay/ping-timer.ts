/**
 * Pings of one connection, the same at both ends: every 30 s, and whoever does not answer within 10 s is gone; within 3 s
 * when the connection is in doubt.
 */
import type { Clock, Timer } from '../../base/clock.js';
import { type Random, randomId } from '../../base/random.js';

/** Specification (TCP_PING_FREQUENCY, TCP_PING_TIMEOUT), ms. */
const PING_INTERVAL = 30_000;
const PONG_TIMEOUT = 10_000;
/** Implementation, ms: after sleep or a change of the network most connections are dead, of which TCP tells after minutes. */
const PONG_TIMEOUT_IN_DOUBT = 3_000;

export interface PingTimerDeps {
  readonly clock: Clock;
  readonly random: Random;
  sendPing(id: bigint): void;
  onSilence(): void;
}

export class PingTimer {
  readonly #deps: PingTimerDeps;
  readonly #interval: Timer;
  #awaited: { readonly id: bigint; readonly timeout: Timer } | undefined;

  constructor(deps: PingTimerDeps) {
    this.#deps = deps;
    this.#interval = deps.clock.every(PING_INTERVAL, () => this.ping());
  }

  /** Asks now. */
  ping(): void {
    if (this.#awaited === undefined) this.#ask(PONG_TIMEOUT);
  }

  /** Asks now, and waits less long. */
  doubt(): void {
    this.#awaited?.timeout.cancel();
    this.#ask(PONG_TIMEOUT_IN_DOUBT);
  }

  #ask(patience: number): void {
    const { clock, random, sendPing, onSilence } = this.#deps;
    this.#awaited = { id: randomId(random), timeout: clock.after(patience, onSilence) };
    sendPing(this.#awaited.id);
  }

  pong(id: bigint): void {
    if (this.#awaited?.id !== id) return;
    this.#awaited.timeout.cancel();
    this.#awaited = undefined;
  }

  /**
   * Another packet came: it opened under the connection's key, so the other side lives. The pong itself may be late on a
   * slow line, behind all that waits in the system's buffers (c-toxcore insists on it).
   */
  heard(): void {
    if (this.#awaited !== undefined) this.pong(this.#awaited.id);
  }

  stop(): void {
    this.#interval.cancel();
    this.#awaited?.timeout.cancel();
  }
}
