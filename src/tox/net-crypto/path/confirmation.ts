/**
 * Whether packets sent on the UDP route in use arrive: they are acknowledged, or a probe is answered. If neither happens in
 * time, the route is probed, and after three unanswered probes it has failed. Pure; times are ms.
 */

/** ms between probes, and the number of unanswered probes after which the route has failed. */
const PROBE_INTERVAL = 250;
const MAX_PROBES = 3;
/** ms between probes of the route to a peer that sends data and gets only acks. */
const RECEIVING_INTERVAL = 1000;
/** Packets of the peer that count as a transfer; keep-alives come one at a time. */
const TRANSFER = 2;

/** What the session knows about both directions. */
export interface Deliveries {
  /** Whether a packet of ours is not acknowledged. */
  readonly hasUnacked: boolean;
  /** Lossless packets received from the peer so far. */
  readonly arrivals: number;
  /** ms within which the peer should acknowledge a packet, and within which it should answer a probe. */
  readonly ackTimeout: number;
  readonly probeTimeout: number;
}

export class Confirmation {
  #confirmedAt = 0;
  /** Since when an ack is due. */
  #unackedSince: number | undefined;
  /** Since when packets of the peer arrive that need an ack from us. */
  #receivingSince: number | undefined;
  #arrivals = 0;
  #probes = 0;
  #probedAt = Number.NEGATIVE_INFINITY;
  #ackTimeout = 0;
  #probeTimeout = 0;

  /** Packets take another route from now on. @param isProven whether that route is known to work */
  begin(now: number, isProven: boolean, { arrivals }: Deliveries): void {
    this.onConfirmed(now, arrivals);
    if (!isProven) this.#receivingSince = now;
  }

  /** @param isSilent whether nothing came by the route for longer than a live peer is silent */
  update(now: number, deliveries: Deliveries, isSilent: boolean): void {
    const { hasUnacked, arrivals } = deliveries;
    this.#ackTimeout = deliveries.ackTimeout;
    this.#probeTimeout = deliveries.probeTimeout;
    if (!hasUnacked) this.#unackedSince = undefined;
    else this.#unackedSince ??= now;
    if (isSilent) this.#receivingSince ??= now;
    else if (arrivals - this.#arrivals >= TRANSFER) {
      this.#receivingSince ??= Math.max(now, this.#confirmedAt + RECEIVING_INTERVAL);
    }
  }

  /** A packet that took this route has arrived. */
  onConfirmed(now: number, arrivals = this.#arrivals): void {
    this.#confirmedAt = now;
    this.#arrivals = arrivals;
    this.#unackedSince = undefined;
    this.#receivingSince = undefined;
    this.#probes = 0;
  }

  /** When the route is probed next; Infinity while there is no reason to probe it. */
  get probeAt(): number {
    if (this.#probes >= MAX_PROBES) return Number.POSITIVE_INFINITY;
    const since = Math.min(
      this.#unackedSince === undefined ? Number.POSITIVE_INFINITY : this.#unackedSince + this.#ackTimeout,
      this.#receivingSince ?? Number.POSITIVE_INFINITY,
    );
    if (this.#probes === 0) return since;
    return since === Number.POSITIVE_INFINITY ? since : this.#probedAt + PROBE_INTERVAL;
  }

  onProbed(now: number): void {
    this.#probes += 1;
    this.#probedAt = now;
  }

  /** Whether a probe had no answer when the next one was sent. */
  get isSuspect(): boolean {
    return this.#probes > 1;
  }

  /** When the route has failed unless it is confirmed before; Infinity while more probes follow. */
  get failsAt(): number {
    return this.#probes < MAX_PROBES ? Number.POSITIVE_INFINITY : this.#probedAt + this.#probeTimeout;
  }
}
