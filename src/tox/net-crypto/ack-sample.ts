/** What one packet of the peer told about ours; one object a window, used again and again. */
export class AckSample {
  ackedBytes = 0;
  lostBytes = 0;
  lostPackets = 0;
  /** Packets that arrived although they had been taken for lost. */
  reorderedPackets = 0;
  /** When the last of the large packets that were delivered, and of those that were lost, had been sent; -Infinity for none. */
  largeDeliveredSentAt = Number.NEGATIVE_INFINITY;
  largeLostSentAt = Number.NEGATIVE_INFINITY;
  /** Bytes delivered over the life of the connection, these included. */
  delivered = 0;

  /** Of the newly delivered packet that was sent last: its number. */
  number = 0;
  /** When that was. */
  sentAt = Number.NEGATIVE_INFINITY;
  /** It was sent more than once, so that nobody knows which copy arrived. */
  isAmbiguous = false;
  /** There was nothing more to send, so that it tells no limit of the path. */
  isAppLimited = false;
  /** Bytes that had been delivered when it was sent. */
  roundDelivered = 0;
  /** Where the measurement begins: bytes delivered until then, when that was, and when the last of them had been sent. */
  priorDelivered = 0;
  priorDeliveredAt = 0;
  priorFirstSentAt = 0;

  reset(): void {
    this.ackedBytes = 0;
    this.lostBytes = 0;
    this.lostPackets = 0;
    this.reorderedPackets = 0;
    this.largeDeliveredSentAt = Number.NEGATIVE_INFINITY;
    this.largeLostSentAt = Number.NEGATIVE_INFINITY;
    this.sentAt = Number.NEGATIVE_INFINITY;
  }

  /**
   * Bytes a ms that the path delivered while that packet travelled; undefined when it cannot be told: an interval below the
   * smallest round trip measures a copy that was sent again while the first one was about to be confirmed.
   */
  deliveryRate(now: number, smallestRtt: number): number | undefined {
    if (this.ackedBytes === 0) return undefined;
    // The slower of sending and confirming: acks that come in clumps would otherwise promise more than there is.
    const interval = Math.max(this.sentAt - this.priorFirstSentAt, now - this.priorDeliveredAt);
    return interval > 0 && interval >= smallestRtt ? (this.delivered - this.priorDelivered) / interval : undefined;
  }
}
