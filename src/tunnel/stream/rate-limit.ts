/**
 * How fast the tunnels of one peer carry bytes in one direction, all of them together: a token bucket, for which they take turns. A
 * part of the bytes passes when there is any token at all, and the debt is paid before the next one, so that no rate is too low for
 * a whole frame, and the average is exact.
 */
import type { Clock, Timer } from '../../base/clock.js';

/** ms of unused tokens that are kept: a peer that was idle may carry as much at once. */
const BURST = 250;
/** ms of the rate that one waiter carries before the next one. */
const TURN = 10;
/** Bytes of a turn at least: a frame. */
const MIN_TURN = 1437;
/** ms between wakes at least. */
const MIN_WAIT = 5;

export interface RateWaiter {
  /** Its turn has come: it may ask for room again. */
  onRoom(): void;
}

export class RateLimit {
  readonly #clock: Clock;
  /** Bytes per ms; undefined: no limit. */
  #rate: number | undefined;
  #tokens = 0;
  /** Those of datagrams, which have the share of one waiter: neither they nor the streams keep the others out. */
  #share = 0;
  #filledAt: number;
  /** In the order in which they are served. */
  readonly #queue = new Set<RateWaiter>();
  #turn: { readonly waiter: RateWaiter; left: number } | undefined;
  /** Bytes by which the last turn of a waiter was exceeded, which its next one lacks (deficit round robin). */
  readonly #excess = new WeakMap<RateWaiter, number>();
  #timer: Timer | undefined;

  /** @param rate bytes per second; undefined: no limit */
  constructor(clock: Clock, rate: number | undefined) {
    this.#clock = clock;
    this.#filledAt = clock.now();
    this.#rate = rate === undefined ? undefined : rate / 1000;
  }

  /** Changes the rate, at once. @param rate bytes per second; undefined: no limit */
  limitTo(rate: number | undefined): void {
    this.#fill();
    this.#rate = rate === undefined ? undefined : rate / 1000;
    // What was owed at a high rate would take long at a low one.
    this.#tokens = Math.min(0, Math.max(this.#tokens, -this.#turnSize));
    this.#share = Math.min(0, Math.max(this.#share, -this.#turnSize));
    this.#serve();
  }

  get isLimited(): boolean {
    return this.#rate !== undefined;
  }

  /** @returns how many bytes the waiter may carry now; with 0 it waits, and `onRoom` follows unless it leaves */
  room(waiter: RateWaiter): number {
    if (this.#rate === undefined) return Number.POSITIVE_INFINITY;
    if (this.#turn?.waiter === waiter && this.#turn.left > 0) return this.#turn.left;
    this.#fill();
    if (this.#tokens > 0 && this.#queue.size === 0) return this.#turnSize;
    this.#queue.add(waiter);
    this.#plan();
    return 0;
  }

  /** Counts bytes that were carried after `room`; a frame may be larger than the room. */
  spend(waiter: RateWaiter, bytes: number): void {
    if (this.#rate === undefined) return;
    this.#tokens -= bytes;
    if (this.#turn?.waiter === waiter) this.#turn.left -= bytes;
  }

  /** For datagrams, which do not wait. @returns false, and counts nothing, when this one has to be dropped */
  police(bytes: number): boolean {
    if (this.#rate === undefined) return true;
    this.#fill();
    if (this.#share <= 0) return false;
    this.#share -= bytes;
    this.#tokens -= bytes;
    return true;
  }

  leave(waiter: RateWaiter): void {
    this.#queue.delete(waiter);
    if (this.#queue.size === 0) this.#stop();
  }

  get #turnSize(): number {
    return Math.max(MIN_TURN, (this.#rate ?? 0) * TURN);
  }

  #fill(): void {
    const now = this.#clock.now();
    const rate = this.#rate ?? 0;
    const gained = (now - this.#filledAt) * rate;
    this.#tokens = Math.min(rate * BURST, this.#tokens + gained);
    this.#share = Math.min(rate * BURST, this.#share + gained / (this.#queue.size + 1));
    this.#filledAt = now;
  }

  #serve(): void {
    this.#stop();
    this.#fill();
    while (this.#rate === undefined || this.#tokens > 0) {
      const waiter = this.#queue.values().next().value;
      if (waiter === undefined) return;
      this.#queue.delete(waiter);
      const turn = { waiter, left: this.#turnSize - (this.#excess.get(waiter) ?? 0) };
      this.#turn = turn;
      if (turn.left > 0) waiter.onRoom();
      else this.#queue.add(waiter);
      this.#turn = undefined;
      this.#excess.set(waiter, Math.max(0, -turn.left));
    }
    this.#plan();
  }

  /** Wakes when the debt is paid. */
  #plan(): void {
    if (this.#rate === undefined || this.#queue.size === 0) return;
    const wait = Math.max(MIN_WAIT, 1 - this.#tokens / this.#rate);
    this.#timer ??= this.#clock.after(wait, () => this.#serve());
  }

  #stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }
}
