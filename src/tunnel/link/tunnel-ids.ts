/** The ids of the tunnels that this side accepted from one peer: random, and not used again soon after they were freed. */
import type { Random } from '../../base/random.js';

/**
 * Ids that are freed before one of them is used again: frames of an upstream peer that were in flight when a tunnel closed must not
 * reach a new tunnel. It is small beside 65536, so a free id is found at once.
 */
const RESTING_IDS = 1024;

export class TunnelIds {
  readonly #random: Random;
  readonly #taken = new Set<number>();
  readonly #resting = new Set<number>();

  constructor(random: Random) {
    this.#random = random;
  }

  /** An id from 1 to 65535. @throws RangeError when half of them are taken: the caller limits its tunnels far below that */
  take(): number {
    if (this.#taken.size >= 0x8000) throw new RangeError('TunnelIds: too many');
    for (;;) {
      const id = 1 + this.#random.below(0xffff);
      if (this.#taken.has(id) || this.#resting.has(id)) continue;
      this.#taken.add(id);
      return id;
    }
  }

  release(id: number): void {
    if (!this.#taken.delete(id)) return;
    this.#resting.add(id);
    if (this.#resting.size <= RESTING_IDS) return;
    const [longest] = this.#resting;
    this.#resting.delete(longest as number);
  }
}
