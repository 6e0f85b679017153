/**
 * Which of the packets that the peer reports missing are lost, and which may still be in flight, by RFC 8985 (RACK): a packet is
 * lost when one sent later has arrived, and a round trip and the reordering window have passed.
 */
import { distanceBetween } from '../../packet/packet-number.js';

/** How long a packet that was reported missing is awaited, ms. */
export interface ReorderingWindow {
  /** Recent round trip. */
  readonly rtt: number;
  /** Time after which a packet is lost, whatever else arrived. */
  readonly longest: number;
  /** RFC 8985's reo_wnd: by how much packets may be reordered. */
  readonly reordering: number;
}

/** The last transmission of a packet. */
export interface Transmission {
  readonly number: number;
  /** ms of the clock. */
  readonly sentAt: number;
  readonly timesSent: number;
}

/** Part of the smallest round trip within which no packet can be acknowledged. */
const EARLY = 0.8;
const HALF = 0x8000_0000;
const NO_WINDOW: ReorderingWindow = { rtt: 0, longest: 0, reordering: 0 };

export class LossDetection {
  /** The delivered packet that was sent last (RACK.xmit_ts, RACK.end_seq). */
  #newestSentAt = Number.NEGATIVE_INFINITY;
  #newest = 0;
  #window = NO_WINDOW;
  #missing: number[] = [];
  #dueAt = Number.POSITIVE_INFINITY;

  /** When the next missing packet is declared lost, ms of the clock; Infinity while there is none. */
  get dueAt(): number {
    return this.#dueAt;
  }

  /** A new report begins. */
  begin(reorderingWindow: ReorderingWindow): void {
    this.#window = reorderingWindow;
    this.#missing = [];
  }

  /** The report lists this unacknowledged packet as missing. */
  reportMissing(number: number): void {
    this.#missing.push(number);
  }

  /** @param smallestRtt ms @returns whether it is a copy acknowledged sooner than that: the copy before was not lost but reordered */
  onDelivered({ number, sentAt, timesSent }: Transmission, now: number, smallestRtt: number): boolean {
    if (timesSent > 1 && now - sentAt < smallestRtt * EARLY) return true;
    if (sentAt >= this.#newestSentAt) {
      this.#newestSentAt = sentAt;
      this.#newest = number;
    }
    return false;
  }

  /**
   * Finds the lost packets among the missing ones. Called when the whole report is read, since its later entries count.
   * @param find returns the transmission of a packet, unless it has arrived or was declared lost
   */
  detectLost(now: number, find: (number: number) => Transmission | undefined, onLost: (number: number) => void): void {
    this.#dueAt = Number.POSITIVE_INFINITY;
    this.#missing = this.#missing.filter((number) => {
      const transmission = find(number);
      if (transmission === undefined) return false;
      const lostAt = this.#lostAt(transmission);
      if (lostAt > now) this.#dueAt = Math.min(this.#dueAt, lostAt);
      else onLost(number);
      return lostAt > now;
    });
  }

  /** A first copy is reported only because a later packet arrived; the report of a later copy may mean the one before. */
  #lostAt({ number, sentAt, timesSent }: Transmission): number {
    const { rtt, longest, reordering } = this.#window;
    const isOvertaken =
      timesSent === 1 ||
      sentAt < this.#newestSentAt ||
      (sentAt === this.#newestSentAt && distanceBetween(number, this.#newest) < HALF);
    return sentAt + (isOvertaken ? Math.min(rtt + reordering, longest) : longest);
  }
}
