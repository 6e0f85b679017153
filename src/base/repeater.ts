import type { Clock, Timer } from './clock.js';

/** Repeats an action after each gap of a list; the last gap repeats forever. */
export class Repeater {
  readonly #clock: Clock;
  readonly #gaps: readonly number[];
  readonly #action: () => void;
  #timer: Timer | undefined;
  #round = 0;

  /** @param gaps ms before the first, second, … time; at least one */
  constructor(clock: Clock, gaps: readonly number[], action: () => void) {
    this.#clock = clock;
    this.#gaps = gaps;
    this.#action = action;
  }

  get isRunning(): boolean {
    return this.#timer !== undefined;
  }

  /** Starts with the first gap; has no effect on a running repeater. */
  start(): void {
    if (this.#timer !== undefined) return;
    this.#round = 0;
    this.#wait();
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #wait(): void {
    const gap = this.#gaps[Math.min(this.#round, this.#gaps.length - 1)] as number;
    this.#round += 1;
    this.#timer = this.#clock.after(gap, () => {
      this.#wait();
      this.#action();
    });
  }
}
