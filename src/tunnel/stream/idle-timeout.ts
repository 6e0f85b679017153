/**
 * Upstream knows no half-close: when our program has said all, the peer may still have something to say, and will not tell when it
 * has not. So silence has to tell.
 */
import type { Clock, Timer } from '../../base/clock.js';

export class UpstreamSilence {
  readonly #clock: Clock;
  readonly #linger: number;
  readonly #onSilence: () => void;
  #heardAt = 0;
  #timer: Timer | undefined;

  /** @param linger ms without data that count as the peer's end */
  constructor(clock: Clock, linger: number, onSilence: () => void) {
    this.#clock = clock;
    this.#linger = linger;
    this.#onSilence = onSilence;
  }

  /** Data has come; costs little, for it may be each packet. */
  heard(): void {
    this.#heardAt = this.#clock.now();
  }

  /** From now on it is waited for. */
  begin(): void {
    this.heard();
    this.#wait();
  }

  stop(): void {
    this.#timer?.cancel();
  }

  #wait(): void {
    const silence = this.#clock.now() - this.#heardAt;
    this.#timer?.cancel();
    if (silence >= this.#linger) this.#onSilence();
    else this.#timer = this.#clock.after(this.#linger - silence, () => this.#wait());
  }
}
