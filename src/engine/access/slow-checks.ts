/**
 * Slow checks, such as those of scrypt in another thread: one after the other, so that they take one core at the most and leave the
 * other threads of Node's pool to files and names. Few wait, of either sort; who finds no room is told at once.
 */

/** Implementation: checks of each sort that wait, some 50 ms of work. */
const MOST_WAITING = 8;

interface Waiting {
  run(): Promise<void>;
}

export class SlowChecks {
  readonly #trusted: Waiting[] = [];
  readonly #others: Waiting[] = [];
  #isBusy = false;

  /**
   * @param isTrusted goes before all others
   * @returns what the check returns; undefined when too many wait, or when it fails
   */
  run<Result>(check: () => Promise<Result>, isTrusted: boolean): Promise<Result | undefined> {
    const queue = isTrusted ? this.#trusted : this.#others;
    if (queue.length >= MOST_WAITING) return Promise.resolve(undefined);
    return new Promise((resolve) => {
      const run = (): Promise<void> => check().then(resolve, () => resolve(undefined));
      queue.push({ run });
      void this.#work();
    });
  }

  async #work(): Promise<void> {
    if (this.#isBusy) return;
    this.#isBusy = true;
    for (let next = this.#next(); next !== undefined; next = this.#next()) await next.run();
    this.#isBusy = false;
  }

  #next(): Waiting | undefined {
    return this.#trusted.shift() ?? this.#others.shift();
  }
}
