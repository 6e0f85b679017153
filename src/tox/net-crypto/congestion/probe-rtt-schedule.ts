/**
 * When the smallest round trip is measured again with our own queue drained (BBR: ProbeRTT). A phase costs part of the rate, so
 * there is none without a reason: a round trip that stays raised, since the path may have become longer; or losses that last
 * although it is not raised. The latter are random, or the smallest round trip is that of a queue which several flows keep full,
 * so that none of them sees its own overflow. Pure; times are ms.
 */

/** Rounds with a raised round trip after which a phase is due, and least time between two phases. */
const RAISED_ROUNDS = 8;
const INTERVAL = 5000;
/** Part of the last rounds that lost packets from which losses last, and the weight of one round. */
const LASTING = 1 / 2;
const PART_OF_ROUND = 1 / 8;
/** Factor by which the smallest round trip falls if a queue is the cause of such losses. */
const FALL = 0.9;
/** Most time between two phases because of losses, after phases that found no lower round trip. */
const LONGEST_INTERVAL = 80_000;

export class ProbeRttSchedule {
  #raisedRounds = 0;
  #lossyRounds = 0;
  #beganAt = 0;
  /** Between two phases because of losses. */
  #lossInterval = INTERVAL;
  /** The smallest round trip before the phase; undefined unless losses are its reason. */
  #roundTripBefore: number | undefined;

  /** @param round.isLossy whether it lost more than single packets */
  endRound({ isRaised, isLossy }: { readonly isRaised: boolean; readonly isLossy: boolean }): void {
    this.#raisedRounds = isRaised ? this.#raisedRounds + 1 : 0;
    this.#lossyRounds += (Number(isLossy) - this.#lossyRounds) * PART_OF_ROUND;
  }

  isDue(now: number): boolean {
    const since = now - this.#beganAt;
    if (this.#isLossLasting && since >= this.#lossInterval) return true;
    return this.#raisedRounds >= RAISED_ROUNDS && since >= INTERVAL;
  }

  /** A phase begins. @param roundTrip the smallest one so far */
  begin(roundTrip: number, now: number): void {
    this.#roundTripBefore = this.#isLossLasting ? roundTrip : undefined;
    this.#beganAt = now;
    this.#raisedRounds = 0;
  }

  /** The phase has ended. @param roundTrip the smallest one that it found */
  end(roundTrip: number): void {
    if (this.#roundTripBefore === undefined) return;
    const hasFallen = roundTrip < FALL * this.#roundTripBefore;
    this.#lossInterval = hasFallen ? INTERVAL : Math.min(LONGEST_INTERVAL, 2 * this.#lossInterval);
  }

  get #isLossLasting(): boolean {
    return this.#lossyRounds > LASTING;
  }
}
