/**
 * When the next order of a client is begun. While the daemon has little to do, at once. While tunnels keep it busy, orders in a
 * row would take from them what each turn costs, for ever; so of all clients together some are begun each second, in the order in
 * which they came, and more only in the time that the tunnels leave.
 */
import type { Clock, Timer } from '../base/clock.js';
import { TokenBucket } from '../base/token-bucket.js';

/** Implementation: orders a second that are begun however busy the daemon is: each takes 2 to 3 ms of it then. */
const RATE = 25;
/** Implementation: so many of them at once, as a person or a script gives them. */
const BURST = 50;
/** Implementation: part of its time for which the daemon works, from which on it is busy. */
const BUSY = 0.9;
/** ms between looks, while some wait. */
const LOOK_INTERVAL = 1000 / RATE;

export interface OrderPaceDeps {
  readonly clock: Clock;
  /** Part of its time for which the daemon has worked lately, 0 to 1. */
  readonly workload: () => number;
}

export class OrderPace {
  readonly #deps: OrderPaceDeps;
  readonly #bucket: TokenBucket;
  readonly #waiting = new Set<() => void>();
  #timer: Timer | undefined;

  constructor(deps: OrderPaceDeps) {
    this.#deps = deps;
    this.#bucket = new TokenBucket(RATE, BURST, deps.clock.now());
  }

  /** @param later called once when it may begin after all @returns whether it may begin now */
  mayBegin(later: () => void): boolean {
    if (this.#waiting.size === 0 && this.#isTime()) return true;
    this.#waiting.add(later);
    this.#timer ??= this.#deps.clock.after(LOOK_INTERVAL, () => this.#look());
    return false;
  }

  /** Who waits has gone. */
  forget(later: () => void): void {
    this.#waiting.delete(later);
    if (this.#waiting.size > 0) return;
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #isTime(): boolean {
    return this.#bucket.take(this.#deps.clock.now()) || this.#deps.workload() < BUSY;
  }

  #look(): void {
    this.#timer = undefined;
    for (const later of this.#waiting) {
      if (!this.#isTime()) break;
      this.#waiting.delete(later);
      later();
    }
    if (this.#waiting.size > 0) this.#timer ??= this.#deps.clock.after(LOOK_INTERVAL, () => this.#look());
  }
}
