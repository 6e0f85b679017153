/**
 * A machine with more to do than processors: each of its processes runs for a while and then has to wait for its next turn,
 * which delays its timers and what it receives. Repeatable from a seed.
 */
import type { Clock } from '../../src/base/clock.js';
import type { FreezableClock } from './freezable-clock.js';
import type { SeededRandom } from './seeded-random.js';

/** ms that a process waits for its turn, and that it runs until it has to wait again. */
export interface Load {
  readonly wait: readonly [least: number, most: number];
  readonly run: readonly [least: number, most: number];
}

export class BusyMachine {
  readonly #clock: Clock;
  readonly #random: SeededRandom;
  readonly #load: Load | undefined;

  /** @param load undefined: nothing waits */
  constructor(deps: { readonly clock: Clock; readonly random: SeededRandom }, load: Load | undefined) {
    this.#clock = deps.clock;
    this.#random = deps.random;
    this.#load = load;
  }

  /** The process of this clock is one of the machine's. */
  run(process: FreezableClock): void {
    const load = this.#load;
    if (load === undefined) return;
    this.#clock.after(this.#draw(load.run), () => {
      process.freeze();
      this.#clock.after(this.#draw(load.wait), () => {
        process.thaw();
        this.run(process);
      });
    });
  }

  #draw([least, most]: readonly [number, number]): number {
    return least + this.#random.fraction() * (most - least);
  }
}
