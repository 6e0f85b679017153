/** A clock whose owner can be stopped, as a process by SIGSTOP: meanwhile nothing fires; afterwards what was due does, once. */
import type { Clock, Timer } from '../../src/base/clock.js';

export class FreezableClock implements Clock {
  readonly #clock: Clock;
  #isFrozen = false;
  /** What was due meanwhile, in order; a repeated one once. */
  readonly #due = new Set<() => void>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  now(): number {
    return this.#clock.now();
  }

  unixTime(): number {
    return this.#clock.unixTime();
  }

  after(delay: number, callback: () => void): Timer {
    return this.#guard(callback, (fire) => this.#clock.after(delay, fire));
  }

  every(interval: number, callback: () => void): Timer {
    return this.#guard(callback, (fire) => this.#clock.every(interval, fire));
  }

  soon(callback: () => void): Timer {
    return this.#guard(callback, (fire) => this.#clock.soon(fire));
  }

  get isFrozen(): boolean {
    return this.#isFrozen;
  }

  freeze(): void {
    this.#isFrozen = true;
  }

  thaw(): void {
    this.#isFrozen = false;
    for (const run of [...this.#due]) if (this.#due.delete(run)) run();
  }

  /** Calls back now, or after the thaw when that is frozen. */
  whenThawed(callback: () => void): void {
    if (this.#isFrozen) this.#due.add(callback);
    else callback();
  }

  #guard(callback: () => void, start: (fire: () => void) => Timer): Timer {
    const run = (): void => callback();
    const timer = start(() => this.whenThawed(run));
    return {
      cancel: () => {
        timer.cancel();
        this.#due.delete(run);
      },
    };
  }
}
