/** One timer for all that is due some time: it is moved to what is due before it, or much later. */
import type { Clock, Timer } from '../../base/clock.js';

/** ms that it must be moved by; less would cost more than a call in vain, and so many turns move it by a little. */
const MIN_MOVE = 100;

export class CoalescedTimer {
  readonly #clock: Clock;
  readonly #onDue: (now: number) => void;
  #timer: Timer | undefined;
  #at = Number.POSITIVE_INFINITY;

  constructor(clock: Clock, onDue: (now: number) => void) {
    this.#clock = clock;
    this.#onDue = onDue;
  }

  /** Rings then, or a little earlier when it was set so. @param at ms of the clock; Infinity is never */
  setFor(at: number, now: number): void {
    if (at === this.#at || (at > this.#at && at - this.#at < MIN_MOVE)) return;
    this.cancel();
    if (at === Number.POSITIVE_INFINITY) return;
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
