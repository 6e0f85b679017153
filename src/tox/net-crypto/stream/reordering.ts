/** How much packets of this path may be reordered, by RFC 8985 (RACK), and how long a missing packet is awaited. Pure; times are ms. */
import type { AckSample } from '../congestion/ack-sample.js';
import { BURST_INTERVAL } from '../congestion/pacer.js';
import type { Rtt } from '../congestion/rtt.js';
import type { ReorderingWindow } from './loss-detection.js';

/** Step of the window, in smallest round trips; one step is added each time the window was too small. */
const STEP = 1 / 4;
/** RFC 8985 (reo_wnd_persist): recoveries without reordering after which the window is again as at first. */
const PERSIST = 16;
/** Recent round trips after which a packet reported missing is lost, whatever else arrived. */
const LONGEST = 1.1;
/** Our own receiver acknowledges after 10 ms. */
export const ACK_DELAY = 15;

/** RFC 9002, 6.2.1: time within which a peer of our kind acknowledges a packet. */
export const probeTimeout = ({ smoothed, variation }: Rtt): number => smoothed + 4 * variation + ACK_DELAY;

export class Reordering {
  #steps = 0;
  #recoveries = 0;
  #recoveryBeganAt = Number.NEGATIVE_INFINITY;

  onAck({ reorderedPackets, lostSentAt }: AckSample, now: number): void {
    if (reorderedPackets > 0) {
      this.#steps += 1;
      this.#recoveries = 0;
    }
    if (lostSentAt < this.#recoveryBeganAt || lostSentAt === Number.NEGATIVE_INFINITY) return;
    // A packet sent since the last recovery began is lost, so another one begins.
    this.#recoveryBeganAt = now;
    this.#recoveries += 1;
    if (this.#recoveries > PERSIST) this.#steps = 0;
  }

  /** @param isOurKind whether the time in which the peer acknowledges is known */
  window(rtt: Rtt, isOurKind: boolean): ReorderingWindow {
    const reordering = Math.min(rtt.smoothed, this.#steps * rtt.min * STEP);
    const longest = Math.max(LONGEST * Math.max(rtt.recent, 2 * BURST_INTERVAL), isOurKind ? probeTimeout(rtt) : 0);
    return { rtt: rtt.latest, longest: longest + reordering, reordering };
  }
}
