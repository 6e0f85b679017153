/**
 * Whether a proxy is usable. One destination that it cannot reach shows nothing. An error counts if no connection through the
 * proxy is open, and is reported once. While there is one, connections are attempted rarely: a hundred relays use the proxy,
 * and as many wrong passwords in a second would lock an account.
 */
import { Backoff } from '../../base/backoff.js';
import type { Clock, Timer } from '../../base/clock.js';
import type { Random } from '../../base/random.js';
import type { ProxyErrorCode } from './proxies.js';

/**
 * ms in which other attempts made at the same time may prove that a refusal was not meant for all destinations. Other errors are
 * the same for every destination and are reported at once.
 */
const GRACE = 3_000;
/** ms: pauses between attempts at an unusable proxy. */
const FIRST_PAUSE = 1_000;
const LONGEST_PAUSE = 15_000;
const MAY_CONCERN_ONE: ReadonlySet<ProxyErrorCode> = new Set(['refuses', 'silent']);

export interface ProxyError {
  readonly code: ProxyErrorCode;
  /** The proxy, without its credentials. */
  readonly proxy: string;
  /** The reason, a clause without a full stop. */
  readonly reason: string;
}

export class ProxyWatch {
  readonly #clock: Clock;
  readonly #onChange: (error: ProxyError | undefined) => void;
  #open = 0;
  #error: ProxyError | undefined;
  #grace: Timer | undefined;
  readonly #pauses: Backoff;
  #nextAt = Number.NEGATIVE_INFINITY;

  /** @param onChange called with each new error, and with undefined when the proxy is usable again */
  constructor(
    deps: { readonly clock: Clock; readonly random: Random },
    onChange: (error: ProxyError | undefined) => void,
  ) {
    this.#clock = deps.clock;
    this.#onChange = onChange;
    this.#pauses = new Backoff(deps.random, { first: FIRST_PAUSE, most: LONGEST_PAUSE });
  }

  get error(): ProxyError | undefined {
    return this.#error;
  }

  /** Whether a connection may be attempted now: after an error, one after each pause. */
  mayTry(): boolean {
    const now = this.#clock.now();
    if (this.#error === undefined) return true;
    if (now < this.#nextAt) return false;
    this.#nextAt = now + this.#pauses.next();
    return true;
  }

  /** A connection through the proxy is open. */
  onOpened(): void {
    this.#open += 1;
    this.stop();
    this.#pauses.reset();
    if (this.#error !== undefined) this.#set(undefined);
  }

  /** An open connection has ended. */
  onClosed(): void {
    this.#open -= 1;
  }

  onError(error: ProxyError): void {
    if (this.#open > 0 || this.#error?.code === error.code) return;
    if (!MAY_CONCERN_ONE.has(error.code)) {
      this.stop();
      this.#set(error);
    } else if (this.#error === undefined || !MAY_CONCERN_ONE.has(this.#error.code)) {
      this.#grace ??= this.#clock.after(GRACE, () => {
        this.#grace = undefined;
        if (this.#open === 0) this.#set(error);
      });
    }
  }

  /** Cancels the timer. */
  stop(): void {
    this.#grace?.cancel();
    this.#grace = undefined;
  }

  #set(error: ProxyError | undefined): void {
    this.#error = error;
    this.#nextAt = this.#clock.now() + this.#pauses.next();
    this.#onChange(error);
  }
}
