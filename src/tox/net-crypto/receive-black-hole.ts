/**
 * Whether the path swallows what the peer sends when it is large: small packets come, time and again, while the first one that is
 * missing does not, though it is sent again each time that we list it. A peer of our kind finds out by itself; c-toxcore always
 * sends up to 1,428 bytes of IP.
 */
import { SAFE_CRYPTO_DATA_SIZE } from '../packet/net-crypto.js';

/** Packets heard, at moments so many ms apart; c-toxcore speaks each second. */
const MOMENTS = 4;
const MOMENT = 500;

export class ReceiveBlackHole {
  #missing: number | undefined;
  #moments = 0;
  #momentAt = 0;

  /**
   * A packet came.
   * @param missing number of the first that did not; undefined when none is missing
   * @param size bytes of data that came
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
