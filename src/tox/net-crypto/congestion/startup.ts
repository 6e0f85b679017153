/** BBR's Startup: how fast it grows, and whether it has filled the path, because the delivery rate no longer grows. */

/** BBR: 2/ln 2 doubles the rate each round. */
export const STARTUP_GAIN = 2.885;
/** The gain until a round trip is raised, so that a short transfer needs fewer rounds, as in SUSS (SIGCOMM 2024). */
const FAST_GAIN = 4;
/** The pacing gain while the round trip is raised, as in the conservative slow start of HyStart++ (RFC 9406). */
const QUEUEING_GAIN = 1.5;
/** BBR: the path is full when three rounds brought less than a quarter more; or two, if the round trip is raised as well. */
const GROWTH = 1.25;
const ROUNDS = 3;
const ROUNDS_RAISED = 2;

export class Startup {
  /** Whether no round trip was raised yet, and whether the last one was. */
  #isFast = true;
  #isQueueing = false;
  /** The rate that has to be exceeded by a quarter, and for how many rounds it was not. */
  #bandwidth = 0;
  #rounds = 0;

  /** Begins again with this rate, bytes per ms. */
  restart(bandwidth: number): void {
    this.#isFast = false;
    this.#noteGrowth(bandwidth);
  }

  /** A round trip was measured. @param isRaised whether it is as long as a queue makes it */
  onRoundTrip(isRaised: boolean): void {
    this.#isQueueing = isRaised;
    if (isRaised) this.#isFast = false;
  }

  get isQueueing(): boolean {
    return this.#isQueueing;
  }

  /** BDPs that may be in flight. */
  get windowGain(): number {
    return this.#isFast ? FAST_GAIN : STARTUP_GAIN;
  }

  get pacingGain(): number {
    return this.#isQueueing ? QUEUEING_GAIN : this.windowGain;
  }

  /**
   * @param bandwidth bytes per ms
   * @param round.isAppLimited whether data was lacking, so that a rate without growth shows nothing
   * @param round.isRaised whether the round trip is raised, as by a queue
   * @returns whether the path is full
   */
  endRound(bandwidth: number, round: { readonly isAppLimited: boolean; readonly isRaised: boolean }): boolean {
    if (bandwidth >= this.#bandwidth * GROWTH) this.#noteGrowth(bandwidth);
    else if (!round.isAppLimited || round.isRaised) this.#rounds += 1;
    return this.#rounds >= (round.isRaised ? ROUNDS_RAISED : ROUNDS);
  }

  #noteGrowth(bandwidth: number): void {
    this.#bandwidth = bandwidth;
    this.#rounds = 0;
  }
}
