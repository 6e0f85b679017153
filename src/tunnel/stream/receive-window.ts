/**
 * How much an extended peer may send on one tunnel. Bytes that were granted and not used yet, bytes that wait for the local program,
 * and bytes that were delivered and not granted again make up the window's size at all times.
 *
 * The size doubles when half of a window was delivered within two round trips, so it comes to four to eight times what the path holds:
 * after a lost packet nothing is delivered, and hence nothing granted, for a round trip or two, and a queue on the path holds as much
 * again. So the path limits the rate, not the window. Windows take what exceeds their base from a pool that the tunnels of a link
 * share, so a peer can fill at most tunnels * BASE_WINDOW + WINDOW_POOL of memory.
 */

/** Bytes each tunnel gets from the start, announced in the hello. */
export const BASE_WINDOW = 64 * 1024;
/** Bytes that a tunnel gets when it opens: at 40 ms, 50 MB/s from the start. */
const EARLY_WINDOW = 2 * 1024 * 1024;
/** The part of the free pool that a new tunnel may take, so that many tunnels leave something to grow with. */
const EARLY_PART = 1 / 32;
/** Bytes: 160 MB/s at 100 ms, which is more than this program can carry. */
const MAX_WINDOW = 16 * 1024 * 1024;
/** Bytes of all windows of a link beyond their bases. */
export const WINDOW_POOL = 64 * 1024 * 1024;
/**
 * A window is too small when this part of it is delivered within so many round trips. With the whole window, a sender in start-up
 * would reach the window's end first.
 */
const GROWTH_PART = 1 / 2;
const GROWTH_ROUND_TRIPS = 2;
/** Part of the window that is granted at a time: few frames, and the sender never stops while the reader keeps up. */
const GRANT_PART = 1 / 8;
/** ms; on shorter paths the event loop takes longer than the network. */
const MIN_ROUND_TRIP = 10;

export class WindowPool {
  #free = WINDOW_POOL;

  /** Bytes. */
  get free(): number {
    return this.#free;
  }

  /** Takes all the bytes, or returns false. */
  take(bytes: number): boolean {
    if (bytes > this.#free) return false;
    this.#free -= bytes;
    return true;
  }

  release(bytes: number): void {
    this.#free += bytes;
  }
}

export class ReceiveWindow {
  readonly #pool: WindowPool;
  #size = BASE_WINDOW;
  /** Bytes granted and not used by the peer, including the grant that is due. */
  #open = BASE_WINDOW;
  #due = 0;
  #delivered = 0;
  #deliveredInEpoch = 0;
  #epochStart: number;

  /** @param isLimited whether the rate is limited: then a larger window from the start would only be a longer queue here */
  constructor(pool: WindowPool, now: number, isLimited = false) {
    this.#pool = pool;
    this.#epochStart = now;
    if (!isLimited) this.#growTo(Math.min(EARLY_WINDOW, BASE_WINDOW + Math.floor(pool.free * EARLY_PART)));
  }

  /** Bytes. */
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
   * Counts bytes that the local program took.
   * @param now ms
   * @param roundTrip ms
   * @returns whether a grant is due
   */
  onDelivered(bytes: number, now: number, roundTrip: number): boolean {
    this.#delivered += bytes;
    this.#deliveredInEpoch += bytes;
    if (this.#deliveredInEpoch >= this.#size * GROWTH_PART) {
      if (now - this.#epochStart < GROWTH_ROUND_TRIPS * Math.max(roundTrip, MIN_ROUND_TRIP))
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

  /** Bytes of the grant to send now. */
  get due(): number {
    return this.#due;
  }

  onGranted(): void {
    this.#due = 0;
  }

  /** Returns its part of the pool. */
  close(): void {
    this.#pool.release(this.#size - BASE_WINDOW);
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
