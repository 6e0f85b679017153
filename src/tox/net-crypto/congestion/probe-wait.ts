/**
 * How long to wait between two probes for bandwidth (BBR: BBRIsTimeToProbeBandwidth). After a probe that overflowed nothing the next one
 * follows soon. After an overflow others may share the queue: Reno needs a round for each packet of its window until it has again what
 * it had, CUBIC some seconds, and a probe in between would take it. Pure; times are ms.
 */

/** Least round trips, and up to how many more: flows in step would hide each other's probes. */
const ROUNDS = 4;
const ROUNDS_SPREAD = 5;
/** Least round trips beside a loss-tolerant competitor. */
const COMPETITOR_ROUNDS = 1;
/** BBR (BBRPickProbeWait): least time after an overflow, and up to how much more. */
const OVERFLOW_WAIT = 2000;
const OVERFLOW_WAIT_SPREAD = 1000;
/** BBR (BBRIsRenoCoexistenceProbeTime): most rounds after an overflow. */
const MOST_ROUNDS = 62.5;

/** The path when ProbeBW_CRUISE begins. */
export interface CruisePath {
  /** The bandwidth-delay product, packets. */
  readonly packets: number;
  readonly roundTrip: number;
  /** Whether a competing flow keeps the queue full despite loss. */
  readonly hasCompetitor: boolean;
}

export class ProbeWait {
  #hasOverflowed = false;
  #rounds = ROUNDS;
  #time = 0;

  /** A probe, or Startup, begins. */
  onProbe(): void {
    this.#hasOverflowed = false;
  }

  /** The probe overflowed a queue. */
  onOverflow(): void {
    this.#hasOverflowed = true;
  }

  /** @param random an integer */
  onCruise({ packets, roundTrip, hasCompetitor }: CruisePath, random: number): void {
    this.#rounds = (hasCompetitor ? COMPETITOR_ROUNDS : ROUNDS) + (random % ROUNDS_SPREAD);
    const wait = OVERFLOW_WAIT + (random % OVERFLOW_WAIT_SPREAD);
    const isLong = this.#hasOverflowed && !hasCompetitor;
    this.#time = isLong ? Math.min(wait, Math.min(packets, MOST_ROUNDS) * roundTrip) : 0;
  }

  /** @param elapsed since ProbeBW_CRUISE began */
  isOver(elapsed: number, roundTrip: number): boolean {
    return elapsed > Math.max(this.#time, this.#rounds * roundTrip);
  }
}
