/** Whether a probe that succeeded leads back to Startup, which doubles the rate where probes add a quarter. Pure. */

/** Growth by the probe. Nearly all of its quarter: where the path has less to give, Startup overflows its queue. */
const GROWTH = 1.2;
/**
 * ms after a heavy loss in which one successful probe is not enough, since a policer lets bursts through; and how many in a row must
 * have come before it, which shows that the path has recovered.
 */
const HEAVY_LOSS_MEMORY = 10_000;
const RECOVERY_PROBES = 2;

export class StartupRestart {
  /** Bytes per ms before the last probe. */
  #bandwidth = 0;
  /** Successful probes in a row, without a heavy loss. */
  #successes = 0;
  #heavyLossEndsAt = Number.NEGATIVE_INFINITY;

  /** Startup ended. @param bandwidth bytes per ms */
  onStartupEnded(bandwidth: number): void {
    this.#bandwidth = bandwidth;
    this.#successes = 0;
  }

  /** @param bandwidth bytes per ms */
  onProbe(bandwidth: number): void {
    this.#successes = this.#hasGrown(bandwidth) ? this.#successes + 1 : 0;
    this.#bandwidth = bandwidth;
  }

  onHeavyLoss(now: number): void {
    this.#heavyLossEndsAt = now + HEAVY_LOSS_MEMORY;
    this.#successes = 0;
  }

  /** @param bandwidth bytes per ms */
  isDue(bandwidth: number, now: number): boolean {
    return this.#hasGrown(bandwidth) && (now >= this.#heavyLossEndsAt || this.#successes >= RECOVERY_PROBES);
  }

  #hasGrown(bandwidth: number): boolean {
    return bandwidth > GROWTH * this.#bandwidth;
  }
}
