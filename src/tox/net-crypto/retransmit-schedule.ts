/**
 * When a cookie request or a handshake is retransmitted. c-toxcore sends every 1000 ms, up to 8 times; the first repetitions
 * may come sooner, since its answer is the same each time. Pure.
 */

/** ms between transmissions, which are sent at 0, 150, 300, 600, 1000, 2000, 3000 and 4000 ms. */
const PAUSES = [150, 150, 300, 400, 1000, 1000, 1000, 1000] as const;

export class RetransmitSchedule {
  #sent = 0;
  #dueAt: number;

  constructor(now: number) {
    this.#dueAt = now;
  }

  /** When `attempt` is due, ms of the clock. */
  get dueAt(): number {
    return this.#dueAt;
  }

  /** Returns what to do at `now`: wait, send, or give up after 8 unanswered transmissions. */
  attempt(now: number): 'wait' | 'send' | 'give up' {
    if (now < this.#dueAt) return 'wait';
    const pause = PAUSES[this.#sent];
    if (pause === undefined) return 'give up';
    this.#sent += 1;
    this.#dueAt = now + pause;
    return 'send';
  }

  /** Restarts the schedule, for a new route or a new packet. */
  restart(now: number): void {
    this.#sent = 0;
    this.#dueAt = now;
  }
}
