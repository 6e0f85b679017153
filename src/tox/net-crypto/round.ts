/** What one round trip of a connection brought, as BBR counts them: it ends with the first ack of a packet that was sent after its begin. */
export class Round {
  /** Delivered bytes at which it ends. */
  end = 0;
  startedAt = 0;
  acked = 0;
  lost = 0;
  lostPackets = 0;
  maxInFlight = 0;
  smallestRoundTrip = Number.POSITIVE_INFINITY;

  begin(delivered: number, now: number): void {
    this.end = delivered;
    this.startedAt = now;
    this.acked = 0;
    this.lost = 0;
    this.lostPackets = 0;
    this.maxInFlight = 0;
    this.smallestRoundTrip = Number.POSITIVE_INFINITY;
  }

  /** Part of its bytes that got lost. */
  get loss(): number {
    return this.lost === 0 ? 0 : this.lost / (this.acked + this.lost);
  }
}
