/**
 * Whether what goes by the UDP route in use arrives: packets of ours are confirmed, or a probe is answered. Where neither
 * happens although it should, the route is probed, and after three probes without an answer it has failed. Pure; times are ms.
 */

/** ms between probes, and how many have no answer when the route has failed. */
const PROBE_INTERVAL = 250;
const MAX_PROBES = 3;
/** Of a peer that sends and gets nothing but confirmations, the route is probed so often, ms. */
const RECEIVING_INTERVAL = 1000;
/** Fewer packets of the peer are no transfer; keep-alives come one at a time. */
const TRANSFER = 2;

/** What the stream of packets tells of both directions. */
export interface Deliveries {
  /** Whether something of ours that was sent is not confirmed. */
  readonly hasUnconfirmed: boolean;
  /** Lossless packets of the peer that came so far. */
  readonly arrivals: number;
  /** ms within which the peer should confirm what it gets, and within which it should answer a probe. */
  readonly ackTimeout: number;
  readonly probeTimeout: number;
}

export class Confirmation {
  #confirmedAt = 0;
  /** Since when something should be confirmed. */
  #unconfirmedSince: number | undefined;
  /** Since when packets of the peer come, which should hear of it; until when there is time for that. */
  #receivingSince: number | undefined;
  #arrivals = 0;
  #probes = 0;
  #probedAt = Number.NEGATIVE_INFINITY;
  #ackTimeout = 0;
  #probeTimeout = 0;

  /** Packets go by another route from now on. @param isProven whether that is known to work */
  begin(now: number, isProven: boolean, { arrivals }: Deliveries): void {
    this.onConfirmed(now, arrivals);
    if (!isProven) this.#receivingSince = now;
  }

  /** @param isSilent nothing came by the route for longer than the peer is ever silent */
  update(now: number, deliveries: Deliveries, isSilent: boolean): void {
    const { hasUnconfirmed, arrivals } = deliveries;
    this.#ackTimeout = deliveries.ackTimeout;
    this.#probeTimeout = deliveries.probeTimeout;
    if (!hasUnconfirmed) this.#unconfirmedSince = undefined;
    else this.#unconfirmedSince ??= now;
    if (isSilent) this.#receivingSince ??= now;
    else if (arrivals - this.#arrivals >= TRANSFER) {
      this.#receivingSince ??= Math.max(now, this.#confirmedAt + RECEIVING_INTERVAL);
    }
  }

  /** Something that went by this route has arrived. */
  onConfirmed(now: number, arrivals = this.#arrivals): void {
    this.#confirmedAt = now;
    this.#arrivals = arrivals;
    this.#unconfirmedSince = undefined;
    this.#receivingSince = undefined;
    this.#probes = 0;
  }

  /** When the route is to be probed; Infinity while there is no reason to. */
  get probeAt(): number {
    if (this.#probes >= MAX_PROBES) return Number.POSITIVE_INFINITY;
    const since = Math.min(
      this.#unconfirmedSince === undefined ? Number.POSITIVE_INFINITY : this.#unconfirmedSince + this.#ackTimeout,
      this.#receivingSince ?? Number.POSITIVE_INFINITY,
    );
    if (this.#probes === 0) return since;
    return since === Number.POSITIVE_INFINITY ? since : this.#probedAt + PROBE_INTERVAL;
  }

  onProbed(now: number): void {
    this.#probes += 1;
    this.#probedAt = now;
  }

  /** Whether a probe had no answer when the next one went. */
  get isSuspect(): boolean {
    return this.#probes > 1;
  }

  /** When the route has failed, unless it is confirmed before; Infinity while probes are to come. */
  get failsAt(): number {
    return this.#probes < MAX_PROBES ? Number.POSITIVE_INFINITY : this.#probedAt + this.#probeTimeout;
  }
}
