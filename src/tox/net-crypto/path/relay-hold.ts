/** How long a relay stays in use: flapping UDP has to wait longer each time. Pure; times are ms. */

/** UDP that lasts less than SHORT ms after a relay makes the relay stay the next time: for FIRST_HOLD ms, doubled each time. */
const SHORT = 10_000;
const FIRST_HOLD = 1000;
const LONGEST_HOLD = 60_000;

export class RelayHold {
  #beganAt = Number.NEGATIVE_INFINITY;
  /** When UDP was chosen after a relay. */
  #endedAt = Number.NEGATIVE_INFINITY;
  #hold = 0;

  /** When the relay was chosen; -Infinity for never. */
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
