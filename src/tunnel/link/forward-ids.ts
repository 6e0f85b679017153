/** The forward ids of one link: an answer names its request by it, so no two requests that wait, or listen, have the same. */
import type { Random } from '../../base/random.js';

export class ForwardIds {
  readonly #used = new Set<number>();
  #next: number;

  constructor(random: Random) {
    this.#next = random.bytes(4).readUInt32BE();
  }

  take(): number {
    while (this.#used.has(this.#next)) this.#next = (this.#next + 1) >>> 0;
    const id = this.#next;
    this.#used.add(id);
    this.#next = (id + 1) >>> 0;
    return id;
  }

  release(id: number): void {
    this.#used.delete(id);
  }
}
