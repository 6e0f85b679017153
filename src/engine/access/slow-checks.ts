/**
 * Runs slow checks, such as scrypt in another thread, one after the other: they take at most one core, and leave the other threads
 * of Node's pool to files and names. Only a few wait, trusted or not; others are refused at once.
 */

/** Waiting checks of each kind, some 50 ms of work. */
const MAX_WAITING = 8;

interface Waiting {
  run(): Promise<void>;
}

export class SlowChecks {
  readonly #trusted: Waiting[] = [];
  readonly #others: Waiting[] = [];
  #isBusy = false;

  /**
   * @param isTrusted whether it runs before all others
   * @returns what the check returns; undefined when too many wait, or when it fails
   */
  run<Result>(check: () => Promise<Result>, isTrusted: boolean): Promise<Result | undefined> {
    const queue = isTrusted ? this.#trusted : this.#others;
    if (queue.length >= MAX_WAITING) return Promise.resolve(undefined);
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
