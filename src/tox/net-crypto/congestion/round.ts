/** Totals of one round trip as BBR counts it: a round ends with the first ack of a packet that was sent after its start. */
export class Round {
  /** Delivered bytes at which it ends. */
  end = 0;
  startedAt = 0;
  acked = 0;
  lost = 0;
  lostPackets = 0;
  /** When the latest lost packet was sent; -Infinity for none. */
  lastLostSentAt = Number.NEGATIVE_INFINITY;
  maxInFlight = 0;
  smallestRoundTrip = Number.POSITIVE_INFINITY;

  begin(delivered: number, now: number): void {
    this.end = delivered;
    this.startedAt = now;
    this.acked = 0;
    this.lost = 0;
    this.lostPackets = 0;
    this.lastLostSentAt = Number.NEGATIVE_INFINITY;
    this.maxInFlight = 0;
    this.smallestRoundTrip = Number.POSITIVE_INFINITY;
  }

  /** Part of the round's bytes that was lost. */
  get loss(): number {
    return this.lost === 0 ? 0 : this.lost / (this.acked + this.lost);
  }
}
