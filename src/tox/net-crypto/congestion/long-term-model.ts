/** The bytes in flight above which the queue overflowed at a probe (draft-ietf-ccwg-bbr: inflight_longterm); probes raise it again. Pure. */

/** Factor by which a probe without an overflow raises the bound, if it has reached this part of it. */
const GROWTH = 1.25;
const REACHED = 0.9;
/** Part by which a round of a polled peer without an overflow raises it. */
const POLLED_GROWTH = 1 / 24;

export class LongTermModel {
  /** Most bytes in flight. */
  inflight = Number.POSITIVE_INFINITY;
  /** Most bytes in flight since the last probe began. */
  #probed = 0;

  onInFlight(bytes: number): void {
    this.#probed = Math.max(this.#probed, bytes);
  }

  beginProbe(): void {
    this.#probed = 0;
  }

  /** A probe ended without an overflow. */
  endProbe(isPolled: boolean): void {
    if (isPolled || this.#probed >= REACHED * this.inflight) this.inflight *= GROWTH;
  }

  /** A round of a polled peer ended without an overflow. */
  endPolledRound(): void {
    this.inflight *= 1 + POLLED_GROWTH;
  }

  /** A queue overflowed. @param passed bytes that it took @param least bytes that remain allowed */
  onOverflow(passed: number, least: number): void {
    this.inflight = Math.max(least, Math.min(this.inflight, passed));
  }

  reset(): void {
    this.inflight = Number.POSITIVE_INFINITY;
  }
}
