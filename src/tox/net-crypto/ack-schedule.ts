/**
 * When to send a request packet, which confirms what arrived and lists what is missing. Every data packet confirms the
 * unbroken part as well, so that traffic in both directions needs few of them. Pure.
 */
import { nextSecond } from '../../base/clock.js';

// Specification (CRYPTO_SEND_PACKET_INTERVAL): a request packet each second, which also keeps NATs open. Ours go at whole
// seconds of the clock, those of all connections at once: an idle process is woken less often. And who has but one peer speaks
// when it is spoken to, for then it is awake anyway.

/** ms since our last request from which on we follow the peer's. Of two at any moments one does, not both. */
const FOLLOWING = 500;
/** ms of a round trip beyond which nobody follows: on a long line that loses packets the pauses would grow. */
const LONGEST_FOLLOWED = 250;
/** ms that who follows waits longer than the peer should, before it speaks by itself; 2 s at the most in all. */
const FOLLOWING_DELAY = 700;

/** Packets after which the peer is told; it learns its rate from that, and c-toxcore rewards a short queue. */
const MAX_UNACKED = 16;
/** ms that a packet waits to be confirmed by data of ours that goes anyway. */
const MAX_DELAY = 10;
/** Round trips before missing packets are listed again; sooner, what was sent again is still under way. */
const REPEAT = 1.2;
const MIN_REPEAT = 10;
/** Packets spoken of per ms of pause between requests; a long list costs both sides time to walk it. */
const SPAN_PER_MS = 1000;

export class AckSchedule {
  #unacked = 0;
  #unackedSince = 0;
  #isUrgent = false;
  #isFollowing = false;
  #requestedAt = Number.NEGATIVE_INFINITY;
  /** When the next one is due at the latest. */
  #nextAt = Number.NEGATIVE_INFINITY;

  /** A lossless packet came, new or again. */
  onReceived(now: number): void {
    if (this.#unacked === 0) this.#unackedSince = now;
    this.#unacked += 1;
  }

  /** Some packet was found missing, or the peer should learn at once how much it should have. */
  ackImmediately(): void {
    this.#isUrgent = true;
  }

  /** A data packet of ours carried the confirmation. */
  onPiggybacked(hasHoles: boolean): void {
    if (!hasHoles) this.#unacked = 0;
  }

  /** The peer has sent a request, and nobody else wakes us. @param rtt ms */
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
   * When the next request is due, ms of the clock; in the past for at once.
   * @param span numbers from the first missing one to the last known one; 0 when none is missing
   * @param rtt ms
   */
  dueAt(span: number, rtt: number): number {
    let due = this.#nextAt;
    if (this.#unacked > 0) due = Math.min(due, this.#unackedSince + (this.#unacked >= MAX_UNACKED ? 0 : MAX_DELAY));
    if (this.#isUrgent) due = Number.NEGATIVE_INFINITY;
    else if (span > 0) due = Math.min(due, this.#requestedAt + Math.max(MIN_REPEAT, REPEAT * rtt));
    return Math.max(due, this.#requestedAt + span / SPAN_PER_MS);
  }
}
