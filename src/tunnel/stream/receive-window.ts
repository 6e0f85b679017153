/**
 * How much an extended peer may send on one tunnel: what it has been granted and not used yet, what waits here for the local
 * program, and what was delivered and not granted again, make up the window's size at all times.
 *
 * The size doubles when half of a window was delivered within two round trips, so that it comes to four to eight times what the
 * path holds: behind a lost packet nothing is delivered, and hence nothing granted, for a round trip or two, and a queue on the
 * way holds as much again. Then the path, and not the window, is what limits. What windows have beyond their base comes from a pool that the tunnels of a link share, so that the
 * memory that a peer can fill is bounded by tunnels * BASE_WINDOW + WINDOW_POOL.
 */

/** Bytes each tunnel gets from the start, announced in the hello. */
export const BASE_WINDOW = 64 * 1024;
/** Bytes a tunnel is raised to when it opens: at 40 ms, 50 MB/s from the start. */
const EARLY_WINDOW = 2 * 1024 * 1024;
/** A new tunnel takes no more of the pool than this part of what is left, so that many tunnels leave something to grow with. */
const EARLY_PART = 1 / 32;
/** Bytes at the most: 160 MB/s at 100 ms, which is more than this program can carry. */
const MAX_WINDOW = 16 * 1024 * 1024;
/** Bytes of all windows of a link beyond their bases. */
export const WINDOW_POOL = 64 * 1024 * 1024;
/** A window is too small of which this part is delivered within so many round trips. Of a whole one a sender in start-up would see the end. */
const GROWTH_PART = 1 / 2;
const GROWTH_ROUND_TRIPS = 2;
/** Part of the window that is granted at a time: few frames, and the sender never stops while the reader keeps up. */
const GRANT_PART = 1 / 8;
/** ms; on shorter paths the turns of the event loop count for more than the network. */
const SHORTEST_ROUND_TRIP = 10;

export class WindowPool {
  #free = WINDOW_POOL;

  /** Bytes. */
  get free(): number {
    return this.#free;
  }

  /** Takes all of it or nothing. */
  take(bytes: number): boolean {
    if (bytes > this.#free) return false;
    this.#free -= bytes;
    return true;
  }

  give(bytes: number): void {
    this.#free += bytes;
  }
}

export class ReceiveWindow {
  readonly #pool: WindowPool;
  #size = BASE_WINDOW;
  /** Granted and not used by the peer, grants that are due included. */
  #open = BASE_WINDOW;
  #due = 0;
  #delivered = 0;
  #deliveredInEpoch = 0;
  #epochStart: number;

  constructor(pool: WindowPool, now: number) {
    this.#pool = pool;
    this.#epochStart = now;
    this.#growTo(Math.min(EARLY_WINDOW, BASE_WINDOW + Math.floor(pool.free * EARLY_PART)));
  }

  get size(): number {
    return this.#size;
  }

  /** @returns false when the peer sent more than it was granted */
  onReceived(bytes: number): boolean {
    if (bytes > this.#open - this.#due) return false;
    this.#open -= bytes;
    return true;
  }

  /**
   * The local program has taken bytes.
   * @param now ms
   * @param roundTrip ms
   * @returns true when a grant has become due
   */
  onDelivered(bytes: number, now: number, roundTrip: number): boolean {
    this.#delivered += bytes;
    this.#deliveredInEpoch += bytes;
    if (this.#deliveredInEpoch >= this.#size * GROWTH_PART) {
      if (now - this.#epochStart < GROWTH_ROUND_TRIPS * Math.max(roundTrip, SHORTEST_ROUND_TRIP))
        this.#growTo(this.#size * 2);
      this.#deliveredInEpoch = 0;
      this.#epochStart = now;
    }
    if (this.#delivered >= this.#size * GRANT_PART) {
      this.#open += this.#delivered;
      this.#due += this.#delivered;
      this.#delivered = 0;
    }
    return this.#due > 0;
  }

  /** Bytes of the grant that should be sent now. */
  get due(): number {
    return this.#due;
  }

  onGranted(): void {
    this.#due = 0;
  }

  /** Gives back to the pool what it took. */
  close(): void {
    this.#pool.give(this.#size - BASE_WINDOW);
    this.#size = BASE_WINDOW;
  }

  #growTo(wanted: number): void {
    const size = Math.min(wanted, MAX_WINDOW);
    const growth = size - this.#size;
    if (growth <= 0 || !this.#pool.take(growth)) return;
    this.#size = size;
    this.#open += growth;
    this.#due += growth;
  }
}
