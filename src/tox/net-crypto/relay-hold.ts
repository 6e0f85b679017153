/** For how long a relay stays in use: UDP that comes and goes has to wait, longer and longer. Pure; times are ms. */

/** ms of UDP after a relay that are too few; the next time the relay stays, for so long at first, and twice as long each time. */
const SHORT = 10_000;
const FIRST_HOLD = 1000;
const LONGEST_HOLD = 60_000;

export class RelayHold {
  #beganAt = Number.NEGATIVE_INFINITY;
  /** When UDP was taken after a relay. */
  #endedAt = Number.NEGATIVE_INFINITY;
  #hold = 0;

  /** When the relay was taken; -Infinity for never. */
  get beganAt(): number {
    return this.#beganAt;
  }

  begin(now: number): void {
    this.#beganAt = now;
    const isShort = now - this.#endedAt < SHORT;
    this.#hold = isShort ? Math.min(LONGEST_HOLD, Math.max(FIRST_HOLD, 2 * this.#hold)) : 0;
  }

  end(now: number): void {
    this.#endedAt = now;
  }

  /** Until when the relay stays. */
  get until(): number {
    return this.#beganAt + this.#hold;
  }
}
