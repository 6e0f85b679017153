/** Whether Startup has filled the path: its delivery rate no longer grows (BBR: BBRCheckFullBWReached). */

/** BBR: the pipe is full when three rounds brought less than a quarter more; or two, if the round trip is raised as well. */
const GROWTH = 1.25;
const ROUNDS = 3;
const ROUNDS_RAISED = 2;

export class FullPipe {
  /** The rate that Startup has to exceed by a quarter, and for how many rounds it has not. */
  #bandwidth = 0;
  #rounds = 0;

  /** Begins again with this rate, bytes per ms. */
  restart(bandwidth: number): void {
    this.#bandwidth = bandwidth;
    this.#rounds = 0;
  }

  /**
   * @param bandwidth bytes per ms
   * @param round.isAppLimited whether data was lacking, so that a rate without growth shows nothing
   * @param round.isRaised whether the round trip is raised, as by a queue
   * @returns whether the pipe is full
   */
  endRound(bandwidth: number, round: { readonly isAppLimited: boolean; readonly isRaised: boolean }): boolean {
    if (bandwidth >= this.#bandwidth * GROWTH) this.restart(bandwidth);
    else if (!round.isAppLimited || round.isRaised) this.#rounds += 1;
    return this.#rounds >= (round.isRaised ? ROUNDS_RAISED : ROUNDS);
  }
}
