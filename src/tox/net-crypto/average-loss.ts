/**
 * The average of losses over many rounds. Beyond a limit the queue is kept full by others whom losses do not stop, such as BBR in its
 * first version. One who heeds losses, as CUBIC, has too little by then to be spared.
 */

/** That limit, and the part of a round in the average. */
const CROWDED_LOSS = 0.05;
const PART_OF_ROUND = 1 / 16;

export class AverageLoss {
  #average = 0;

  /** @param loss part of its bytes that got lost */
  endRound(loss: number): void {
    this.#average += (loss - this.#average) * PART_OF_ROUND;
  }

  get hasLossTolerantCompetitor(): boolean {
    return this.#average > CROWDED_LOSS;
  }
}
