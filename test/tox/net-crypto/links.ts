/** Simulated links: a slow link with a queue that overflows, and a relay that reads its sockets periodically. */
import type { ManualClock } from '../../support/manual-clock.js';

/** Bytes of the IP and UDP headers. */
const HEADERS = 28;

export class Bottleneck {
  readonly #clock: ManualClock;
  readonly #bytesPerMs: number;
  readonly #queueBytes: number;
  #freeAt = 0;
  dropped = 0;
  /** The longest time that a packet waited, ms. */
  mostDelay = 0;

  constructor(clock: ManualClock, options: { readonly megabits: number; readonly queueBytes: number }) {
    this.#clock = clock;
    this.#bytesPerMs = (options.megabits * 1e6) / 8 / 1000;
    this.#queueBytes = options.queueBytes;
  }

  readonly shape = (packet: Buffer, forward: () => void): void => {
    const now = this.#clock.now();
    const waiting = Math.max(0, this.#freeAt - now);
    if (waiting * this.#bytesPerMs > this.#queueBytes) {
      this.dropped += 1;
      return;
    }
    this.mostDelay = Math.max(this.mostDelay, waiting);
    this.#freeAt = now + waiting + (packet.length + HEADERS) / this.#bytesPerMs;
    this.#clock.after(this.#freeAt - now, forward);
  };
}

/**
 * A relay that reads its sockets periodically: it takes the content of each buffer, while more packets wait at the sender, in
 * order. Packets for which the next socket has no room are lost.
 */
export class PolledRelay {
  readonly #clock: ManualClock;
  readonly #options: { readonly interval: number; readonly packets: number; readonly room: number };
  dropped = 0;

  constructor(
    clock: ManualClock,
    options: { readonly interval: number; readonly packets: number; readonly room: number },
  ) {
    this.#clock = clock;
    this.#options = options;
  }

  /** One direction through it. */
  direction(): (packet: Buffer, forward: () => void) => void {
    const { interval, packets, room } = this.#options;
    const waiting: (() => void)[] = [];
    this.#clock.every(interval, () => {
      const taken = waiting.splice(0, packets);
      this.dropped += Math.max(0, taken.length - room);
      for (const forward of taken.slice(0, room)) forward();
    });
    return (_packet, forward) => void waiting.push(forward);
  }
}
