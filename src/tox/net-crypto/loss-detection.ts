/**
 * Which of the packets that the peer reports missing are lost, and which may still be under way, by RFC 8985 (RACK): one is lost when
 * something that was sent later has arrived, and a round trip and the time by which packets overtake each other have passed.
 */
import { distanceBetween } from './packet-number.js';

/** How long a packet that was reported missing is waited for, ms. */
export interface ReorderingWindow {
  /** Round trip of late. */
  readonly rtt: number;
  /** Beyond which no packet is under way, whatever arrived that was sent later. */
  readonly longest: number;
  /** RFC 8985's reo_wnd: by how much packets may overtake each other. */
  readonly reordering: number;
}

/** The last transmission of a packet. */
export interface Transmission {
  readonly number: number;
  /** ms of the clock. */
  readonly sentAt: number;
  readonly timesSent: number;
}

/** Part of the smallest round trip within which no packet is confirmed. */
const EARLY = 0.8;
const HALF = 0x8000_0000;
const NO_WINDOW: ReorderingWindow = { rtt: 0, longest: 0, reordering: 0 };

export class LossDetection {
  /** Of the delivered packets, the one that was sent last (RACK.xmit_ts, RACK.end_seq). */
  #newestSentAt = Number.NEGATIVE_INFINITY;
  #newest = 0;
  #window = NO_WINDOW;
  #missing: number[] = [];
  #dueAt = Number.POSITIVE_INFINITY;

  /** When the next of those that may be under way is lost, ms of the clock; Infinity while there is none. */
  get dueAt(): number {
    return this.#dueAt;
  }

  /** A new report begins. */
  begin(reorderingWindow: ReorderingWindow): void {
    this.#window = reorderingWindow;
    this.#missing = [];
  }

  /** The report has this one, which was sent and not confirmed, as missing. */
  reportMissing(number: number): void {
    this.#missing.push(number);
  }

  /** @param smallestRtt ms @returns whether it is a copy that arrived sooner than that: the one before was not lost but overtaken */
  onDelivered({ number, sentAt, timesSent }: Transmission, now: number, smallestRtt: number): boolean {
    if (timesSent > 1 && now - sentAt < smallestRtt * EARLY) return true;
    if (sentAt >= this.#newestSentAt) {
      this.#newestSentAt = sentAt;
      this.#newest = number;
    }
    return false;
  }

  /**
   * Judges the suspects, all of them once the report is read, for what it says of later packets counts.
   * @param find the transmission of one, unless it has arrived or was found lost meanwhile
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

  /** The first copy of a packet is reported only because something later came; a report of a later one may mean the one before. */
  #lostAt({ number, sentAt, timesSent }: Transmission): number {
    const { rtt, longest, reordering } = this.#window;
    const isOvertaken =
      timesSent === 1 ||
      sentAt < this.#newestSentAt ||
      (sentAt === this.#newestSentAt && distanceBetween(number, this.#newest) < HALF);
    return sentAt + (isOvertaken ? Math.min(rtt + reordering, longest) : longest);
  }
}
