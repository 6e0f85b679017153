/** Bytes in flight on a path that was lost, or that drops large packets: their loss does not indicate an overflow. */

/** Rounds in which the losses of a lost path become known. */
const ROUNDS = 2;

export class PathLoss {
  #bytes = 0;
  #rounds = 0;

  /** @param inFlight bytes sent on the path that was lost */
  begin(inFlight: number): void {
    this.#bytes = inFlight;
    this.#rounds = ROUNDS;
  }

  /** Returns how many of these lost bytes the lost path explains. */
  take(lostBytes: number): number {
    const explained = Math.min(this.#bytes, lostBytes);
    this.#bytes -= explained;
    return explained;
  }

  endRound(): void {
    if (this.#rounds > 0) this.#rounds -= 1;
    else this.#bytes = 0;
  }
}
