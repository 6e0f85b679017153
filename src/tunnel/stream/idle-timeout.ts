/**
 * Notices that an upstream peer has nothing more to send. Upstream has no half-close: after our program has ended its direction, the
 * peer may still send, and does not tell when it is done.
 */
import type { Clock, Timer } from '../../base/clock.js';

export class IdleTimeout {
  readonly #clock: Clock;
  readonly #timeout: number;
  readonly #onIdle: () => void;
  #lastDataAt = 0;
  #timer: Timer | undefined;

  /** @param timeout ms without data, after which `onIdle` is called */
  constructor(clock: Clock, timeout: number, onIdle: () => void) {
    this.#clock = clock;
    this.#timeout = timeout;
    this.#onIdle = onIdle;
  }

  /** Cheap, because it is called for each packet. */
  onData(): void {
    this.#lastDataAt = this.#clock.now();
  }

  start(): void {
    this.onData();
    this.#wait();
  }

  stop(): void {
    this.#timer?.cancel();
  }

  #wait(): void {
    const left = this.#lastDataAt + this.#timeout - this.#clock.now();
    if (left > 0) this.#timer = this.#clock.after(left, () => this.#wait());
    else this.#onIdle();
  }
}
