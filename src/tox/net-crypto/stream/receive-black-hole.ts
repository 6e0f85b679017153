/**
 * Whether the path drops the large packets of the peer: small packets keep arriving while the first missing one does not, though
 * it is retransmitted each time we list it. A peer of our kind detects this itself; c-toxcore always sends up to 1,428 bytes of IP.
 */
import { SAFE_CRYPTO_DATA_SIZE } from '../../packet/net-crypto.js';

/** Packets received at separate moments, and ms between these; c-toxcore sends every second. */
const MOMENTS = 4;
const MOMENT = 500;

export class ReceiveBlackHole {
  #missing: number | undefined;
  #moments = 0;
  #momentAt = 0;

  /**
   * A packet arrived.
   * @param missing number of the first missing packet; undefined if none is missing
   * @param size bytes of data that arrived
   */
  onReceived(missing: number | undefined, size: number, now: number): void {
    if (missing === undefined || missing !== this.#missing || size > SAFE_CRYPTO_DATA_SIZE) {
      this.#missing = missing;
      this.#moments = 0;
      this.#momentAt = now;
    } else if (now - this.#momentAt >= MOMENT) {
      this.#moments += 1;
      this.#momentAt = now;
    }
  }

  get isLikely(): boolean {
    return this.#moments >= MOMENTS;
  }
}
