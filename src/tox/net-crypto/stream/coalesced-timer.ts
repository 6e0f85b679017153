/** One timer for many deadlines: it is moved only to an earlier deadline, or to a much later one. */
import type { Clock, Timer } from '../../../base/clock.js';

/** ms by which a deadline must be later to move the timer; a smaller move costs more than an early call. */
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

  /** Fires at `at`, or a little earlier if it was set to that. @param at ms of the clock; Infinity is never */
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
