/**
 * When to send a request packet, which acknowledges what arrived and lists what is missing. Every data packet also acknowledges
 * the unbroken part, so traffic in both directions needs few request packets. Pure.
 */
import { nextSecond } from '../../../base/clock.js';

// Specification (CRYPTO_SEND_PACKET_INTERVAL): a request packet each second, which also keeps NATs open. All connections send
// theirs at whole seconds of the clock, which wakes an idle process less often. A node with a single peer sends its request
// when the peer's arrives, since it is awake then.

/** ms since our last request after which we follow the peer's. Of two peers, only one follows at a time. */
const FOLLOWING = 500;
/** Round trip in ms above which we do not follow: on a long lossy path the pauses would grow. */
const LONGEST_FOLLOWED = 250;
/** ms by which a follower waits longer than the peer's interval before it sends unprompted; at most 2 s in all. */
const FOLLOWING_DELAY = 700;

/** Packets after which an ack is sent; the peer measures its rate by acks, and c-toxcore rewards a short queue. */
const MAX_UNACKED = 16;
/** ms that an ack waits for a data packet of ours to carry it. */
const MAX_DELAY = 10;
/** Round trips before missing packets are listed again; before that, the retransmission is still in flight. */
const REPEAT = 1.2;
const MIN_REPEAT = 10;
/** Packets covered per ms of pause between requests; both sides spend time on a long list. */
const SPAN_PER_MS = 1000;

export class AckSchedule {
  #unacked = 0;
  #unackedSince = 0;
  #isUrgent = false;
  #isFollowing = false;
  #requestedAt = Number.NEGATIVE_INFINITY;
  /** When the next request is due at the latest. */
  #nextAt = Number.NEGATIVE_INFINITY;

  /** A lossless packet arrived, new or duplicate. */
  onReceived(now: number): void {
    if (this.#unacked === 0) this.#unackedSince = now;
    this.#unacked += 1;
  }

  /** A packet was found missing, or the peer should learn at once how much was sent. */
  ackImmediately(): void {
    this.#isUrgent = true;
  }

  /** A data packet of ours carried the ack. */
  onPiggybacked(hasHoles: boolean): void {
    if (!hasHoles) this.#unacked = 0;
  }

  /** The peer has sent a request, and there is no other peer that wakes us. @param rtt ms */
  follow(now: number, rtt: number): void {
    this.#isFollowing = now - this.#requestedAt >= FOLLOWING && rtt <= LONGEST_FOLLOWED;
    if (this.#isFollowing) this.#nextAt = now;
  }

  onRequestSent(now: number): void {
    this.#nextAt = nextSecond(this.#isFollowing ? now + FOLLOWING_DELAY : now);
    this.#unacked = 0;
    this.#isUrgent = false;
    this.#isFollowing = false;
    this.#requestedAt = now;
  }

  /**
   * Returns when the next request is due, ms of the clock; a time in the past means at once.
   * @param span numbers from the first missing one to the last known one; 0 when none is missing
   * @param rtt ms
   * @param pause least ms between two acks
   */
  dueAt(span: number, rtt: number, pause = 0): number {
    let due = this.#nextAt;
    if (this.#unacked > 0) {
      const ackAt = this.#unackedSince + (this.#unacked >= MAX_UNACKED ? 0 : MAX_DELAY);
      due = Math.min(due, Math.max(ackAt, this.#requestedAt + pause));
    }
    if (this.#isUrgent) due = Number.NEGATIVE_INFINITY;
    else if (span > 0) due = Math.min(due, this.#requestedAt + Math.max(MIN_REPEAT, REPEAT * rtt));
    return Math.max(due, this.#requestedAt + span / SPAN_PER_MS);
  }
}
