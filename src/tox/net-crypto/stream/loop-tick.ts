/**
 * One tick of the event loop: the clock is read once for a batch of datagrams, and the work that they cause (acks, packets that
 * may be sent now) is done once, at the end.
 */
import type { Clock, Timer } from '../../../base/clock.js';

export interface TickTask {
  /** Called once at the end of each tick to which the task was deferred. */
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

  /** ms of the clock, the same for the whole tick. */
  now(): number {
    if (this.#now === undefined) {
      this.#now = this.#clock.now();
      this.#end ??= this.#clock.soon(() => this.#finish());
    }
    return this.#now;
  }

  /** The clock is not read here: the next packet may arrive much later and needs its own time. */
  deferToEnd(task: TickTask): void {
    if (this.#tasks.has(task)) return;
    this.#tasks.add(task);
    if (this.#tasks.size > 1) return;
    // A write to a local program may have been scheduled by now. The program waits for it, so our work comes after it.
    this.#end?.cancel();
    this.#end = this.#clock.soon(() => this.#finish());
  }

  /** Cancels all tasks. */
  stop(): void {
    this.#end?.cancel();
    this.#tasks.clear();
  }

  #finish(): void {
    const tasks = this.#tasks;
    this.#tasks = new Set();
    this.#end = undefined;
    // The batch may have taken a while; packets sent now need the current time.
    this.#now = undefined;
    if (tasks.size === 0) return;
    const now = this.#clock.now();
    for (const task of tasks) task.onTickEnd(now);
  }
}
