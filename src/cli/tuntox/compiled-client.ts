/** Makes the next start of a client faster by the code that V8 compiled for this one (`platform/runtime/code-cache`). */
import type { Clock, Timer } from '../../base/clock.js';

/** ms after the first server answered: the first transfer has begun, and compiles what it needs. To store it takes 30 ms. */
const LATER = 2_000;

export class CompiledClient {
  readonly #clock: Clock;
  readonly #keep: () => Promise<void>;
  #timer: Timer | undefined;

  constructor(clock: Clock, keep: () => Promise<void>) {
    this.#clock = clock;
    this.#keep = keep;
  }

  follow({ online }: { readonly online: Promise<void> }): void {
    void online.then(() => {
      this.#timer ??= this.#clock.after(LATER, () => void this.#keep());
    });
  }

  /** A client that never reached a server has not compiled what the next one needs. */
  async end(): Promise<void> {
    this.#timer?.cancel();
    if (this.#timer !== undefined) await this.#keep();
  }
}
