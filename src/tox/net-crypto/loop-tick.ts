/**
 * One turn of the event loop: the clock is read once for a batch of datagrams, and what each of them makes necessary (acks,
 * packets that may go now) is done once, at its end.
 */
import type { Clock, Timer } from '../../base/clock.js';

export interface TickTask {
  /** Called once at the end of each turn that it was put into. */
  onTickEnd(now: number): void;
}

export class LoopTick {
  readonly #clock: Clock;
  #tasks = new Set<TickTask>();
  #now: number | undefined;
  #end: Timer | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** ms of the clock, the same for the whole turn. */
  now(): number {
    if (this.#now === undefined) {
      this.#now = this.#clock.now();
      this.#end ??= this.#clock.soon(() => this.#finish());
    }
    return this.#now;
  }

  /** The clock is not read here: what asks for it may be long before the next packet arrives, which is stamped with its own time. */
  deferToEnd(task: TickTask): void {
    this.#tasks.add(task);
    this.#end ??= this.#clock.soon(() => this.#finish());
  }

  /** Nothing more will be called. */
  stop(): void {
    this.#end?.cancel();
    this.#tasks.clear();
  }

  #finish(): void {
    const tasks = this.#tasks;
    this.#tasks = new Set();
    this.#end = undefined;
    // The batch may have taken a while; what is sent now is stamped with the time of now.
    this.#now = undefined;
    if (tasks.size === 0) return;
    const now = this.#clock.now();
    for (const task of tasks) task.onTickEnd(now);
  }
}
