/** The attempts of a client to reach its server, with pauses between them; or one attempt without end. */
import { Backoff } from '../../base/backoff.js';
import type { Clock, Timer } from '../../base/clock.js';
import type { Random } from '../../base/random.js';

/** ms between a failed attempt and the next. */
const FIRST_PAUSE = 1_000;
const LONGEST_PAUSE = 60_000;

/** How long a client waits for its server. */
export interface RetryPolicy {
  /** ms for the first connection, and for each that was lost; undefined: without end. */
  readonly timeout: number | undefined;
  /** How many more times in a row it waits so long. */
  readonly maxRetries: number;
}

export interface RetryHandlers {
  /** An attempt has failed, and the next follows after `pause` ms. @param left how many are left, the next one included */
  onPause(pause: number, left: number): void;
  onRetry(): void;
  /** The last attempt has failed. */
  onExhausted(): void;
}

export class ConnectRetry {
  readonly #clock: Clock;
  readonly #policy: RetryPolicy;
  readonly #handlers: RetryHandlers;
  readonly #pauses: Backoff;
  #left = 0;
  #timer: Timer | undefined;

  constructor(deps: { readonly clock: Clock; readonly random: Random }, policy: RetryPolicy, handlers: RetryHandlers) {
    this.#clock = deps.clock;
    this.#policy = policy;
    this.#handlers = handlers;
    this.#pauses = new Backoff(deps.random, { first: FIRST_PAUSE, most: LONGEST_PAUSE });
  }

  /** Starts the first try: there is no connection. */
  begin(): void {
    this.#left = this.#policy.maxRetries;
    this.#pauses.reset();
    this.#wait();
  }

  /** Stops: there is a connection, or none is needed any more. */
  end(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #wait(): void {
    this.end();
    const { timeout } = this.#policy;
    if (timeout !== undefined) this.#timer = this.#clock.after(timeout, () => this.#onFailed());
  }

  #onFailed(): void {
    if (this.#left === 0) {
      this.#handlers.onExhausted();
      return;
    }
    const pause = this.#pauses.next();
    this.#handlers.onPause(pause, this.#left);
    this.#left -= 1;
    this.#timer = this.#clock.after(pause, () => {
      this.#wait();
      this.#handlers.onRetry();
    });
  }
}
