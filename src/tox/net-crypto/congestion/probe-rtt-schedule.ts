/**
 * When the smallest round trip is measured again with our own queue drained (BBR: ProbeRTT). A phase costs part of the rate, so
 * there is none without a reason: a round trip that stays raised, since the path may have become longer; or losses that last
 * although it is not raised. The latter are random, or the smallest round trip is that of a queue which several flows keep full,
 * so that none of them sees its own overflow. Losses at a time when the queue is shorter than it was are random. A third reason is a
 * smallest round trip above that of earlier times, which others' queue may have raised. Pure; times are ms.
 */
import { MaxFilter } from './max-filter.js';

/** Rounds with a raised round trip after which a phase is due, and least time between two phases. */
const RAISED_ROUNDS = 8;
const INTERVAL = 5000;
/** Part of the last rounds that lost packets from which losses last, and the weight of one round. */
const LASTING = 1 / 2;
const PART_OF_ROUND = 1 / 8;
/** Factor of a round trip above which the bytes in flight were too few for the rate of the path (WINDOW_GAIN). */
const LONGER = 1.5;
/** Age of Startup's result in which it may have to begin again. Later, others may have come to the path. */
const EARLY = 5000;
/** Factor by which the smallest round trip falls if a queue is a part of it. */
const FALL = 0.9;
/** Most time between two phases for the last two reasons, after phases that found no lower round trip. */
const LONGEST_INTERVAL = 80_000;
/** Multiple of the smallest round trip of all times, and ms more, above which a queue may be a part of it. */
const ABOVE = 1.25;
const ABOVE_MARGIN = 4;

/** What Startup led to. */
export interface StartupResult {
  /** ms since it ended. */
  readonly age: number;
  /** The delivery rate, bytes per ms. */
  readonly rate: number;
  /** Bytes that Startup had in flight at first. */
  readonly firstWindow: number;
}

export class ProbeRttSchedule {
  #raisedRounds = 0;
  #lossyRounds = 0;
  /** The longest round trip of the last rounds, those of a cycle of ProbeBW. */
  readonly #longest = new MaxFilter();
  #beganAt = 0;
  /** Between two phases that search a lower round trip. */
  #interval = INTERVAL;
  /** The smallest round trip of all times. */
  #smallest = Number.POSITIVE_INFINITY;
  /** The smallest round trip before the phase, and whether the phase searches a lower one. */
  #roundTripBefore = Number.POSITIVE_INFINITY;
  #isForLower = false;

  /** @param round.isLossy whether it lost more than single packets @param roundTrip the smoothed one */
  endRound({ isRaised, isLossy }: { readonly isRaised: boolean; readonly isLossy: boolean }, roundTrip: number): void {
    this.#longest.add(roundTrip);
    this.#longest.endRound(Number.POSITIVE_INFINITY);
    const isQueueFull = isLossy && roundTrip > FALL * this.#longest.max;
    this.#raisedRounds = isRaised ? this.#raisedRounds + 1 : 0;
    this.#lossyRounds += (Number(isQueueFull) - this.#lossyRounds) * PART_OF_ROUND;
  }

  /** @param roundTrip the smallest one so far */
  isDue(roundTrip: number, now: number): boolean {
    this.#smallest = Math.min(this.#smallest, roundTrip);
    const since = now - this.#beganAt;
    return (this.#isLowerLikely(roundTrip) && since >= this.#interval) || (this.#isRaised && since >= INTERVAL);
  }

  /** A phase begins. @param roundTrip the smallest one so far @returns whether a longer one may take its place */
  begin(roundTrip: number, now: number): boolean {
    const mayBeLonger = this.#isRaised || this.#isLossLasting;
    this.#roundTripBefore = roundTrip;
    this.#isForLower = this.#isLowerLikely(roundTrip);
    this.#beganAt = now;
    this.#raisedRounds = 0;
    return mayBeLonger;
  }

  /**
   * The phase has ended. Beside a queue that others keep full, Startup takes the delay of the way for the round trip, and ends with less
   * than its first window in flight.
   * @param roundTrip the smallest one that the phase found
   * @returns whether Startup has to begin again with it
   */
  end(roundTrip: number, startup: StartupResult): boolean {
    const before = this.#roundTripBefore;
    if (this.#isForLower) {
      this.#interval = roundTrip < FALL * before ? INTERVAL : Math.min(LONGEST_INTERVAL, 2 * this.#interval);
    }
    const wasTooSmall = startup.rate * before < startup.firstWindow;
    return roundTrip > LONGER * before && startup.age < EARLY && wasTooSmall;
  }

  get #isLossLasting(): boolean {
    return this.#lossyRounds > LASTING;
  }

  get #isRaised(): boolean {
    return this.#raisedRounds >= RAISED_ROUNDS;
  }

  /** Whether the round trip may contain a queue of others. */
  #isLowerLikely(roundTrip: number): boolean {
    return this.#isLossLasting || roundTrip > ABOVE * this.#smallest + ABOVE_MARGIN;
  }
}
