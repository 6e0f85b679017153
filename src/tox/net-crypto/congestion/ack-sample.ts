/** What one packet of the peer acknowledged or reported lost; each window reuses one object. */
export class AckSample {
  ackedBytes = 0;
  lostBytes = 0;
  lostPackets = 0;
  /** Packets that arrived although they had been declared lost. */
  reorderedPackets = 0;
  /** When the latest lost packet was sent; -Infinity for none. */
  lostSentAt = Number.NEGATIVE_INFINITY;
  /** When the latest delivered and the latest lost large packet were sent; -Infinity for none. */
  readonly large = { deliveredSentAt: Number.NEGATIVE_INFINITY, lostSentAt: Number.NEGATIVE_INFINITY };
  /** Bytes delivered over the life of the connection, these included. */
  delivered = 0;

  /** Number of the newly delivered packet that was sent last. */
  number = 0;
  /** When that packet was sent, ms of the clock. */
  sentAt = Number.NEGATIVE_INFINITY;
  /** The packet was sent more than once, so it is unknown which copy arrived. */
  isAmbiguous = false;
  /** The sender had no more data when it sent the packet, so the sample shows no limit of the path. */
  isAppLimited = false;
  /** Bytes that had been delivered when the packet was sent. */
  roundDelivered = 0;
  /** Start of the measurement: bytes delivered by then, the time, and when the last of those bytes was sent. */
  priorDelivered = 0;
  priorDeliveredAt = 0;
  priorFirstSentAt = 0;

  reset(): void {
    this.ackedBytes = 0;
    this.lostBytes = 0;
    this.lostPackets = 0;
    this.reorderedPackets = 0;
    this.lostSentAt = Number.NEGATIVE_INFINITY;
    this.large.deliveredSentAt = Number.NEGATIVE_INFINITY;
    this.large.lostSentAt = Number.NEGATIVE_INFINITY;
    this.sentAt = Number.NEGATIVE_INFINITY;
  }

  /**
   * Returns the bytes per ms that the path delivered while that packet travelled; undefined if unknown. An interval below the
   * smallest round trip belongs to a copy that was sent just before the first one was acknowledged.
   */
  deliveryRate(now: number, smallestRtt: number): number | undefined {
    if (this.ackedBytes === 0) return undefined;
    // The slower of sending and acknowledging: acks that arrive in bursts would otherwise overstate the rate.
    const interval = Math.max(this.sentAt - this.priorFirstSentAt, now - this.priorDeliveredAt);
    return interval > 0 && interval >= smallestRtt ? (this.delivered - this.priorDelivered) / interval : undefined;
  }
}

/**
 * Returns the ms by which an ack was delayed: no packet is acknowledged in less than the smallest round trip.
 * @param delay ms at most
 */
export function ackDelayOf(sample: AckSample, delay: number, now: number, smallestRtt: number): number {
  if (delay === 0 || sample.isAmbiguous) return delay;
  return Math.max(0, Math.min(delay, now - sample.sentAt - smallestRtt));
}
