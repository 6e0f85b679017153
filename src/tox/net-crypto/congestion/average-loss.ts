/**
 * The average loss over many rounds. Above a limit, a competing flow that tolerates loss keeps the queue full, such as BBR in its
 * first version. A flow that backs off on loss, such as CUBIC, has too small a share by then to need protection.
 */

/** That limit, and the weight of one round in the average. */
const CROWDED_LOSS = 0.05;
const PART_OF_ROUND = 1 / 16;

export class AverageLoss {
  #average = 0;

  /** @param loss part of the round's bytes that was lost */
  endRound(loss: number): void {
    this.#average += (loss - this.#average) * PART_OF_ROUND;
  }

  get hasLossTolerantCompetitor(): boolean {
    return this.#average > CROWDED_LOSS;
  }
}
