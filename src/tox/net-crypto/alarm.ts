/** One timer for all that is due some time: it is moved only when something is due before it. */
import type { Clock, Timer } from '../../base/clock.js';

export class Alarm {
  readonly #clock: Clock;
  readonly #onDue: (now: number) => void;
  #timer: Timer | undefined;
  #at = Number.POSITIVE_INFINITY;

  constructor(clock: Clock, onDue: (now: number) => void) {
    this.#clock = clock;
    this.#onDue = onDue;
  }

  /** Rings then, or earlier when it was set so. @param at ms of the clock; Infinity is never */
  setFor(at: number, now: number): void {
    if (at >= this.#at) return;
    this.#timer?.cancel();
    this.#at = at;
    this.#timer = this.#clock.after(Math.max(1, Math.ceil(at - now)), () => {
      this.#timer = undefined;
      this.#at = Number.POSITIVE_INFINITY;
      this.#onDue(this.#clock.now());
    });
  }

  cancel(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#at = Number.POSITIVE_INFINITY;
  }
}
