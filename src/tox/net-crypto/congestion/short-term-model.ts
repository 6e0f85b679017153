/**
 * What the losses of a round bound until the next probe (draft-ietf-ccwg-bbr: bw_shortterm, inflight_shortterm). The largest delivery
 * rate of the last rounds is more than a shared path carries for long; without these bounds several flows keep its queue full. Pure.
 */

/** BBR (BBRBeta): least part of the previous bounds that one round leaves. */
const BETA = 0.7;

export class ShortTermModel {
  /** Most bytes per ms. */
  rate = Number.POSITIVE_INFINITY;
  /** Most bytes in flight. */
  inflight = Number.POSITIVE_INFINITY;

  /**
   * A round lost packets of a full queue.
   * @param delivered.bytes that arrived in the round, which took so many ms
   * @param limits bytes per ms and bytes in flight that were allowed
   */
  onLoss(
    delivered: { readonly bytes: number; readonly ms: number },
    limits: { readonly rate: number; readonly inflight: number },
  ): void {
    // The mean of the round: acks that arrive in groups let its largest sample exceed what the path carries.
    this.rate = Math.max(delivered.bytes / delivered.ms, BETA * Math.min(this.rate, limits.rate));
    this.inflight = Math.max(delivered.bytes, BETA * Math.min(this.inflight, limits.inflight));
  }

  reset(): void {
    this.rate = Number.POSITIVE_INFINITY;
    this.inflight = Number.POSITIVE_INFINITY;
  }
}
