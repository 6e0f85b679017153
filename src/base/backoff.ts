import type { Random } from './random.js';

/** Delays that grow from `first` by `factor` up to `most` ms, each shortened by up to a quarter, so that peers do not act at once. */
export class Backoff {
  readonly #first: number;
  readonly #most: number;
  readonly #factor: number;
  readonly #random: Random;
  #next: number;

  constructor(random: Random, options: { first: number; most: number; factor?: number }) {
    this.#random = random;
    this.#first = options.first;
    this.#most = options.most;
    this.#factor = options.factor ?? 2;
    this.#next = this.#first;
  }

  /** Returns the next delay, ms. */
  next(): number {
    const delay = this.#next;
    this.#next = Math.min(this.#most, this.#next * this.#factor);
    return delay * (1 - this.#random.below(1000) / 4000);
  }

  reset(): void {
    this.#next = this.#first;
  }
}
